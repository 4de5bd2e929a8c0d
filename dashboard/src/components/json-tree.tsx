import { useState } from "react"
import { isObject, type Json } from "../state/json.ts"
import { plain } from "../state/words.ts"
import { SafeLink } from "./safe-link.tsx"
import { Sideways } from "./sideways.tsx"

/** More children than these at once make a page slow. */
const PAGE = 100
const OPEN_LEVELS = 2

/** Any JSON, to be opened and closed; what is closed is not in the document. */
export function JsonTree({ value }: { value: Json }) {
  return (
    <Sideways label="Report" className="font-mono text-[0.8125rem] leading-6">
      <Value value={value} level={0} />
    </Sideways>
  )
}

function Value({ value, level }: { value: Json; level: number }) {
  if (Array.isArray(value))
    return <Branch entries={value.map((each, at) => [String(at), each])} of="[]" level={level} />
  if (isObject(value)) return <Branch entries={Object.entries(value)} of="{}" level={level} />
  if (typeof value === "string") {
    return (
      <span data-tone="good" className="text-tone">
        "<SafeLink text={value} />"
      </span>
    )
  }
  return (
    <span data-tone="note" className="text-tone">
      {String(value)}
    </span>
  )
}

function Branch({ entries, of, level }: { entries: [string, Json][]; of: string; level: number }) {
  const [isOpen, setOpen] = useState(level < OPEN_LEVELS)
  const [shown, setShown] = useState(PAGE)
  if (!entries.length) return <span className="text-quiet">{of}</span>
  return (
    <>
      <button
        type="button"
        aria-expanded={isOpen}
        className="text-quiet hover:text-ink"
        onClick={() => setOpen(!isOpen)}
      >
        {isOpen ? "▾" : "▸"} {of[0]}
        {isOpen ? "" : "…"}
        {isOpen ? "" : of[1]} <span className="text-xs">{entries.length.toLocaleString()}</span>
      </button>
      {isOpen && (
        <ul className="border-l border-line pl-4">
          {entries.slice(0, shown).map(([name, each]) => (
            <li key={name}>
              <span className="foreign text-quiet">{plain(name)}: </span>
              <Value value={each} level={level + 1} />
            </li>
          ))}
          {entries.length > shown && (
            <li>
              <button type="button" className="link" onClick={() => setShown(shown + PAGE)}>
                {(entries.length - shown).toLocaleString()} more
              </button>
            </li>
          )}
        </ul>
      )}
    </>
  )
}
