import { useMemo, useRef } from "react"
import { useShared } from "../hooks/context.ts"
import { useView } from "../hooks/use-feed.ts"
import { useFitting } from "../hooks/use-fitting.ts"
import { useIsKiosk } from "../hooks/use-kiosk.ts"
import { lastAt, useLastChanges, useSteps } from "../hooks/use-last-changes.ts"
import { usePast } from "../hooks/use-past.ts"
import { hashOf, hashOfRepo } from "../route.ts"
import { rankOf } from "../state/arrange.ts"
import { fieldChanges, type RepoChange } from "../state/changes.ts"
import { absenceIn } from "../state/past.ts"
import { labelOf, nameWords } from "../state/words.ts"
import { Age } from "./age.tsx"
import { FITTING } from "./attention-panel.tsx"
import { Icon } from "./icon.tsx"
import { StatusBadge } from "./status-badge.tsx"

const SHOWN = 12

/** What is different from what the person looked at last; the last changes where nobody looked before, or nobody can. */
export function ChangesPanel() {
  const isKiosk = useIsKiosk()
  const isNew = useView((view) => view.seenAt === null && !view.unseen.length)
  return (
    <section aria-labelledby="changes-title" className="card flex flex-col in-data-kiosk:min-h-0">
      {isKiosk || isNew ? <Last /> : <Unseen />}
    </section>
  )
}

const HEADER = "flex min-h-11 flex-wrap items-center gap-x-3 px-4 py-1.5"

function Last() {
  const list = useRef<HTMLUListElement>(null)
  const most = useFitting(list, SHOWN)
  const last = useLastChanges(most, isOfAll)
  const past = usePast()
  return (
    <>
      <header className={HEADER}>
        <h2 id="changes-title" className="title">
          Last changes
        </h2>
      </header>
      {last.length === 0 && (
        <p className="border-t border-line px-4 py-4 text-center text-quiet">{absenceIn(past, "No change of state")}</p>
      )}
      <ul ref={list} className={FITTING}>
        {last.map(({ id, at, change }) => (
          <Change key={`${id} ${change.key}`} change={change} at={at} />
        ))}
      </ul>
    </>
  )
}

function Unseen() {
  const { store } = useShared()
  const unseen = useView((view) => view.unseen)
  const seenAt = useView((view) => view.seenAt)
  const steps = useSteps()
  const shown = useMemo(() => [...unseen].sort(byWeight).slice(0, SHOWN), [unseen])
  return (
    <>
      <header className={HEADER}>
        <h2 id="changes-title" className="title">
          Changed since you looked
        </h2>
        <span className="text-xs text-quiet">{seenAt !== null && <Age at={seenAt} />}</span>
        {unseen.length > 0 && (
          <button type="button" className="button ml-auto print:hidden" onClick={() => store.markSeen()}>
            <Icon name="check" />
            Mark as seen
          </button>
        )}
      </header>
      {unseen.length === 0 && (
        <p className="border-t border-line px-4 py-4 text-center text-quiet">Nothing is different from then.</p>
      )}
      <ul>
        {shown.map((change) => (
          <Change key={change.key} change={change} at={change.after?.changedAt ?? lastAt(steps, change.key)} />
        ))}
      </ul>
      {unseen.length > SHOWN && (
        <a href={hashOf("repositories", { sort: "changed" })} className="link border-t border-line px-4 py-2">
          {(unseen.length - SHOWN).toLocaleString()} more
        </a>
      )}
      <Others most={SHOWN - shown.length} />
    </>
  )
}

/** The last changes of state that the list above does not tell: of earlier times, and what came and went since. */
function Others({ most }: { most: number }) {
  const unseen = useView((view) => view.unseen)
  const last = useLastChanges(most, isOfState, unseen)
  if (!last.length) return null
  return (
    <>
      <h3 className="border-t border-line bg-sunken px-4 py-1 text-xs text-quiet">Last changes of state</h3>
      <ul>
        {last.map(({ id, at, change }) => (
          <Change key={`${id} ${change.key}`} change={change} at={at} />
        ))}
      </ul>
    </>
  )
}

const isOfAll = ({ kind }: RepoChange) => kind !== "fields"
const isOfState = ({ kind }: RepoChange) => kind === "status"

const WEIGHTS = { status: 0, removed: 1, added: 2, fields: 3 } as const

function byWeight(a: RepoChange, b: RepoChange): number {
  return WEIGHTS[a.kind] - WEIGHTS[b.kind] || rankOf(a.to ?? "") - rankOf(b.to ?? "")
}

function Change({ change, at }: { change: RepoChange; at: number | null }) {
  const { key, name, after } = change
  return (
    <li className="grid min-h-10 in-data-kiosk:h-11 grid-cols-[minmax(0,1fr)_auto_4.5rem] items-center gap-x-3 border-t border-line px-4 py-1.5 max-sm:grid-cols-[minmax(0,1fr)_auto]">
      {after ? (
        <a href={hashOfRepo(key)} className="foreign truncate font-semibold">
          {nameWords(name)}
        </a>
      ) : (
        <span className="foreign truncate font-semibold">{nameWords(name)}</span>
      )}
      <span className="flex min-w-0 items-center gap-1.5">
        <What change={change} />
      </span>
      <span className="text-right text-xs text-quiet max-sm:text-left">{at !== null && <Age at={at} />}</span>
    </li>
  )
}

export function What({ change }: { change: RepoChange }) {
  const { kind, from, to } = change
  if (kind === "fields") {
    const fields = fieldChanges(change).map(({ name }) => labelOf(name))
    return <span className="foreign truncate text-xs text-quiet">{fields.slice(0, 3).join(", ")}</span>
  }
  return (
    <>
      {from === null ? <span className="text-xs text-quiet">new</span> : <StatusBadge status={from} quiet />}
      <Icon name="chevron" className="size-3.5 text-quiet" />
      <span className="sr-only">to</span>
      {to === null ? <span className="text-xs font-semibold">no longer listed</span> : <StatusBadge status={to} />}
    </>
  )
}
