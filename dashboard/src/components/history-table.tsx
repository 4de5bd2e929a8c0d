import { useState } from "react"
import { hashOf } from "../route.ts"
import { countsIn, type Entry, whenOf } from "../state/history.ts"
import { lineOr } from "../state/words.ts"
import { Sideways } from "./sideways.tsx"

const FEW = 100

/** The same as the chart, in figures; newest first. */
export function HistoryTable({ entries }: { entries: readonly Entry[] }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <details
      className="card in-data-kiosk:hidden print:hidden"
      onToggle={(event) => setOpen((event.target as HTMLDetailsElement).open)}
    >
      <summary className="title px-4 py-2.5">Every report as a table</summary>
      {isOpen && <Table entries={entries} />}
    </details>
  )
}

function Table({ entries }: { entries: readonly Entry[] }) {
  const [most, setMost] = useState(FEW)
  const names = countsIn(entries)
  const shown = entries.slice(-most).reverse()
  return (
    <Sideways label="Reports">
      <table className="w-full text-left tabular-nums">
        <caption className="sr-only">The kept reports, newest first</caption>
        <thead className="text-xs text-quiet">
          <tr>
            <th scope="col" className="px-4 py-1.5 font-normal">
              Report
            </th>
            <th scope="col" className="px-3 font-normal">
              Health
            </th>
            {names.map((name) => (
              <th key={name} scope="col" className="px-3 text-right font-normal capitalize">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((entry) => (
            <tr key={`${entry.epoch} ${entry.offset}`} className="border-t border-line hover:bg-sunken">
              <th scope="row" className="px-4 py-1 font-normal whitespace-nowrap">
                <a className="link" href={hashOf("timeline", { at: entry.name })}>
                  {whenOf(entry)}
                </a>
              </th>
              <td className="foreign px-3 capitalize">{lineOr("not told", entry.health)}</td>
              {names.map((name) => (
                <td key={name} className="px-3 text-right">
                  {entry.counts[name]?.toLocaleString() ?? ""}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length < entries.length && (
        <button type="button" className="link px-4 py-2" onClick={() => setMost(most * 10)}>
          {(entries.length - shown.length).toLocaleString()} earlier ones
        </button>
      )}
    </Sideways>
  )
}
