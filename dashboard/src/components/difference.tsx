import { useMemo, useState } from "react"
import { hashOfRepo } from "../route.ts"
import { rankOf } from "../state/arrange.ts"
import { changesBetween, type RepoChange, summaryOf } from "../state/changes.ts"
import type { AuditReport } from "../state/report.ts"
import { lineOr, nameWords, plain } from "../state/words.ts"
import { What } from "./changes-panel.tsx"
import { Icon } from "./icon.tsx"
import { Differences } from "./repo-details.tsx"

interface Props {
  readonly before: AuditReport
  readonly after: AuditReport
}

const KINDS = [
  ["status", "Another state"],
  ["added", "Added"],
  ["removed", "No longer listed"],
  ["fields", "Details alone"],
] as const

/** What is different from one report to another, by repository. */
export function Difference({ before, after }: Props) {
  const changes = useMemo(() => changesBetween(before, after).sort(byRank), [before, after])
  return (
    <div>
      <p role="status" className="border-t border-line px-4 py-2.5">
        <span className="foreign">{summaryOf(changes) || "No repository is different"}.</span>
        {before.health !== after.health && (
          <span className="foreign">
            {" "}
            The health went from {lineOr("not told", before.health)} to {lineOr("not told", after.health)}.
          </span>
        )}
      </p>
      {KINDS.map(([kind, title]) => {
        const some = changes.filter((change) => change.kind === kind)
        return some.length > 0 && <Kind key={kind} title={title} changes={some} />
      })}
    </div>
  )
}

function byRank(a: RepoChange, b: RepoChange): number {
  return rankOf(a.to ?? "") - rankOf(b.to ?? "")
}

const FEW = 50

function Kind({ title, changes }: { title: string; changes: readonly RepoChange[] }) {
  const [isWhole, setWhole] = useState(false)
  const shown = isWhole ? changes : changes.slice(0, FEW)
  return (
    <section aria-label={title}>
      <h3 className="flex gap-2 border-t border-line bg-sunken px-4 py-1 text-xs font-semibold">
        {title} <span className="font-normal text-quiet tabular-nums">{changes.length.toLocaleString()}</span>
      </h3>
      <ul>
        {shown.map((change) => (
          <Change key={change.key} change={change} />
        ))}
      </ul>
      {shown.length < changes.length && (
        <button type="button" className="link px-4 py-2" onClick={() => setWhole(true)}>
          {(changes.length - shown.length).toLocaleString()} more
        </button>
      )}
    </section>
  )
}

function Change({ change }: { change: RepoChange }) {
  return (
    <li className="border-t border-line px-4 py-2 first:border-t-0">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-0.5">
        <a href={hashOfRepo(change.key)} className="foreign min-w-0 flex-1 basis-40 font-semibold">
          {nameWords(change.name)}
        </a>
        {change.kind !== "fields" && (
          <span className="flex min-w-0 items-center gap-1.5">
            <What change={change} />
          </span>
        )}
      </div>
      <Differences change={change} />
    </li>
  )
}

/** What stands in place of what cannot be shown yet, or at all. */
export function Absent({ sentence, onRetry }: { sentence: string | null; onRetry?: (() => void) | undefined }) {
  return (
    <p role="status" className="flex flex-wrap items-center justify-center gap-3 border-t border-line p-8 text-quiet">
      <span className="foreign first-letter:uppercase">{plain(sentence ?? "Loading…")}</span>
      {sentence && onRetry && (
        <button type="button" className="button" onClick={onRetry}>
          <Icon name="polling" />
          Try again
        </button>
      )}
    </p>
  )
}
