import { useState } from "react"
import { hashOf } from "../route.ts"
import { barsOf, msWords, percentile, screenTimes, type TracedChange } from "../state/trace.ts"
import { momentOf } from "../state/words.ts"
import { MiniBar } from "./waterfall.tsx"

const FEW = 20

interface Props {
  readonly changes: readonly TracedChange[]
  /** The key of the one that is shown hop by hop. */
  readonly present: string | null
}

/** The changes that are remembered, newest first. */
export function TracedChanges({ changes, present }: Props) {
  const [isWhole, setWhole] = useState(false)
  const shown = isWhole ? changes : changes.slice(0, FEW)
  const scaleMs = scaleOf(changes)
  return (
    <section aria-labelledby="traced-title" className="card in-data-kiosk:hidden">
      <header className="flex min-h-11 items-center gap-3 px-4 py-1.5">
        <h2 id="traced-title" className="title">
          Last changes
        </h2>
        <span className="text-xs text-quiet tabular-nums">
          {changes.length.toLocaleString()}, {`newest first; a full bar is ${msWords(scaleMs)}`}
        </span>
      </header>
      <table className="w-full text-left tabular-nums">
        <caption className="sr-only">The last changes, newest first</caption>
        <thead className="text-xs text-quiet">
          <tr className="border-t border-line *:py-1.5 *:font-normal">
            <th scope="col" className="pl-4">
              File changed
            </th>
            <th scope="col" className="w-full px-2 max-sm:hidden">
              Hops
            </th>
            <th scope="col" className="px-2 text-right">
              Written
            </th>
            <th scope="col" className="px-2 text-right whitespace-nowrap">
              On screen
            </th>
            <th scope="col" className="pr-4 pl-2 text-right max-sm:hidden">
              Clients
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((change) => (
            <Change key={change.key} change={change} scaleMs={scaleMs} isPresent={change.key === present} />
          ))}
        </tbody>
      </table>
      {shown.length < changes.length && (
        <button type="button" className="link px-4 py-2" onClick={() => setWhole(true)}>
          {(changes.length - shown.length).toLocaleString()} more
        </button>
      )}
    </section>
  )
}

/** A single one that took long is not to make all others invisible. */
function scaleOf(changes: readonly TracedChange[]): number {
  const ends = changes.map((change) => Math.max(...barsOf(change).map(({ begin, ms }) => begin + (ms ?? 0))))
  return Math.max(1, Math.ceil(1.25 * (percentile(ends, 0.9) ?? 1)))
}

function Change({ change, scaleMs, isPresent }: { change: TracedChange; scaleMs: number; isPresent: boolean }) {
  const screen = percentile(screenTimes(change), 0.5)
  return (
    <tr className={`border-t border-line hover:bg-sunken ${isPresent ? "bg-accent-ground" : ""}`}>
      <th scope="row" className="py-1 pl-4 font-normal whitespace-nowrap">
        <a
          className="link"
          aria-current={isPresent || undefined}
          href={hashOf("latency", { change: change.key })}
          title={change.name}
        >
          {momentOf(change.modifiedAt)}
        </a>
        <span className="mt-0.5 block w-28 sm:hidden">
          <MiniBar change={change} scaleMs={scaleMs} />
        </span>
      </th>
      <td className="px-2 max-sm:hidden">
        <MiniBar change={change} scaleMs={scaleMs} />
      </td>
      <td className="px-2 text-right whitespace-nowrap">
        {change.ageMs === null ? <span className="text-quiet">not known</span> : msWords(change.ageMs)}
      </td>
      <td className="px-2 text-right whitespace-nowrap">
        {screen === null ? <span className="text-quiet">–</span> : msWords(screen)}
      </td>
      <td className="pr-4 pl-2 text-right max-sm:hidden">{change.clients.toLocaleString()}</td>
    </tr>
  )
}
