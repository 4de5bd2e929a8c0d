import { type ReactNode, useState } from "react"
import { useShared } from "../hooks/context.ts"
import { useView } from "../hooks/use-feed.ts"
import { usePastReport } from "../hooks/use-past-report.ts"
import { withoutToken } from "../root.ts"
import { pathOfReport, sentenceOf } from "../state/gateway.ts"
import { type Entry, whenOf } from "../state/history.ts"
import type { AuditReport } from "../state/report.ts"
import { placeOf, type Selection } from "../state/selection.ts"
import { nameWords } from "../state/words.ts"
import { CopyButton } from "./copy-button.tsx"
import { Absent, Difference } from "./difference.tsx"
import { PastRepos } from "./past-repos.tsx"
import { Segments } from "./segments.tsx"

interface Props {
  readonly entries: readonly Entry[]
  readonly selection: Selection
  /** Whether the history is; before that, a name that is not among the entries may be. */
  readonly isKnown: boolean
}

const VIEWS = [
  ["changes", "What changed"],
  ["repositories", "All repositories"],
] as const

/** The report that is looked at: what it changed, or what is different from the one compared with, and all of it. */
export function SelectedReport({ entries, selection, isKnown }: Props) {
  const [shown, setShown] = useState<(typeof VIEWS)[number][0]>("changes")
  const at = placeOf(selection.at, entries)
  const from = selection.from === null ? at - 1 : placeOf(selection.from, entries)
  const [name, base] = [selection.at ?? entries[at]?.name ?? null, selection.from ?? entries[from]?.name ?? null]
  const { report, error, ask } = usePastReport(name)
  const title = titleOf(entries, selection, at, from)
  return (
    <section
      aria-labelledby="selected-title"
      className={`in-data-kiosk:min-w-0 in-data-kiosk:flex-1 in-data-kiosk:overflow-hidden ${shown === "changes" ? "card" : "space-y-3"}`}
    >
      <header
        className={`flex min-h-12 flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2 ${shown === "changes" ? "" : "card"}`}
      >
        <h2 id="selected-title" className="foreign title">
          {title}
        </h2>
        <div className="ml-auto flex flex-wrap items-center gap-2">
          <ReportLinks name={name} />
          <Segments label="What of it" choices={VIEWS} value={shown} onChoose={setShown} />
        </div>
      </header>
      {report === null && <Absent sentence={absenceOf(error, isKnown && at < 0)} onRetry={ask} />}
      {report !== null &&
        (shown === "changes" ? (
          <Changes name={base} isFollowing={selection.at === null && selection.from === null} after={report} />
        ) : (
          <PastRepos report={report} />
        ))}
    </section>
  )
}

function Changes({ name, isFollowing, after }: { name: string | null; isFollowing: boolean; after: AuditReport }) {
  // The one that was shown before is here already, however fast reports come.
  const previous = useView((view) => (isFollowing ? view.previous : null))
  const { report, error, ask } = usePastReport(previous ? null : name)
  const before = previous ?? report
  if (before) return <Difference before={before} after={after} />
  if (name === null) return <Absent sentence="It is the first report that is kept; there is none before it." />
  return <Absent sentence={absenceOf(error, false)} onRetry={ask} />
}

function ReportLinks({ name }: { name: string | null }): ReactNode {
  const { gateway } = useShared()
  if (name === null) return null
  return (
    <span className="flex items-center gap-2 print:hidden in-data-kiosk:hidden">
      <a className="link" href={gateway.address(pathOfReport(name))}>
        JSON
      </a>
      <CopyButton what="address" label="Copy link" text={() => withoutToken(location.href)} />
    </span>
  )
}

function titleOf(entries: readonly Entry[], selection: Selection, at: number, from: number): string {
  const [entry, base] = [entries[at], entries[from]]
  if (selection.from !== null)
    return `From ${base ? whenOf(base) : nameWords(selection.from)} to ${entry ? whenOf(entry) : nameWords(selection.at ?? "")}`
  if (selection.at === null) return "The newest report"
  return `The report of ${entry ? whenOf(entry) : nameWords(selection.at)}`
}

/** Why there is no report; `null` while it may yet come. */
function absenceOf(error: unknown, isGone: boolean): string | null {
  if (error) return `${sentenceOf(error)}.`
  return isGone ? "This report is not kept any more." : null
}
