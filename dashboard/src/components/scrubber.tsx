import { type PointerEvent, useRef, useState } from "react"
import { shareOf } from "../state/axis.ts"
import { type Entry, whenOf } from "../state/history.ts"

export interface Handle {
  /** What it chooses, for people: "From". */
  readonly label: string
  /** The place of its report among the entries. */
  readonly at: number
  readonly onMove: (at: number) => void
}

interface Props {
  readonly entries: readonly Entry[]
  readonly ends: readonly [number, number]
  readonly handles: readonly Handle[]
  /** Tells which report is pointed at; -1 when none is. */
  readonly onPoint: (at: number) => void
  /** The one that is pointed at. */
  readonly pointed: number
}

/** Chooses reports on the axis of time: by pointer on the nearest one, by keyboard one after the other. */
export function Scrubber({ entries, ends, handles, onPoint, pointed }: Props) {
  const area = useRef<HTMLDivElement>(null)
  const [held, setHeld] = useState<number | null>(null)
  const placeOf = ({ clientX }: PointerEvent) => {
    const { left = 0, width = 1 } = area.current?.getBoundingClientRect() ?? {}
    return nearest(entries, ends[0] + ((clientX - left) / width) * (ends[1] - ends[0]))
  }
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return
    const at = placeOf(event)
    const distances = handles.map((handle) => Math.abs(handle.at - at))
    const nth = distances.lastIndexOf(Math.min(...distances))
    area.current?.setPointerCapture(event.pointerId)
    setHeld(nth)
    handles[nth]?.onMove(at)
    area.current?.querySelectorAll("input")[nth]?.focus({ preventScroll: true })
    event.preventDefault()
  }
  const move = (event: PointerEvent) => {
    const at = placeOf(event)
    onPoint(at)
    if (held !== null && handles[held]?.at !== at) handles[held]?.onMove(at)
  }
  const shares = handles.map(({ at }) => shareOf(entries[at]?.x ?? Number.NaN, ends))
  return (
    <div
      ref={area}
      className="absolute inset-0 cursor-ew-resize touch-pan-y select-none print:hidden in-data-kiosk:pointer-events-none"
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={() => setHeld(null)}
      onPointerCancel={() => setHeld(null)}
      onPointerLeave={() => onPoint(-1)}
    >
      {shares.length === 2 && <Between shares={shares} />}
      {pointed >= 0 && <Pointed entry={entries[pointed]} ends={ends} />}
      {handles.map((handle, nth) => (
        <Cursor key={handle.label} handle={handle} share={shares[nth] ?? 0} entries={entries} />
      ))}
    </div>
  )
}

function nearest(entries: readonly Entry[], time: number): number {
  let best = 0
  for (const [at, { x }] of entries.entries()) {
    if (Math.abs(x - time) <= Math.abs((entries[best]?.x ?? 0) - time)) best = at
  }
  return best
}

function Between({ shares: [a = 0, b = 0] }: { shares: readonly number[] }) {
  const style = { left: `${Math.min(a, b) * 100}%`, width: `${Math.abs(b - a) * 100}%` }
  return <span style={style} className="absolute top-0 bottom-6 bg-accent/10" />
}

function Pointed({ entry, ends }: { entry: Entry | undefined; ends: readonly [number, number] }) {
  if (!entry) return null
  const share = shareOf(entry.x, ends)
  const side = share > 0.5 ? "right-1.5" : "left-1.5"
  return (
    <span style={{ left: `${share * 100}%` }} className="pointer-events-none absolute top-0 bottom-6 w-0">
      <span className="absolute inset-y-0 border-l border-dashed border-edge" />
      <span
        className={`card absolute -top-2 px-1.5 text-[0.6875rem] whitespace-nowrap tabular-nums shadow-float ${side}`}
      >
        {whenOf(entry)}
      </span>
    </span>
  )
}

interface CursorProps {
  readonly handle: Handle
  readonly share: number
  readonly entries: readonly Entry[]
}

function Cursor({ handle: { label, at, onMove }, share, entries }: CursorProps) {
  return (
    <span style={{ left: `${share * 100}%` }} className="absolute top-0 bottom-6 w-0">
      <input
        type="range"
        aria-label={label}
        aria-valuetext={valueText(entries, at)}
        min={0}
        max={entries.length - 1}
        value={at}
        onChange={(event) => onMove(event.target.valueAsNumber)}
        className="peer pointer-events-none absolute -bottom-2 -left-2 size-4 opacity-0"
      />
      <span
        hidden={!entries[at]}
        className="pointer-events-none absolute inset-y-0 -left-px border-l-2 border-accent"
      />
      <span className="pointer-events-none absolute -bottom-2 -left-2 size-4 rounded-full border-2 border-card bg-accent outline-offset-1 outline-accent peer-focus-visible:outline-2 in-data-kiosk:hidden" />
    </span>
  )
}

function valueText(entries: readonly Entry[], at: number): string {
  const entry = entries[at]
  if (!entry) return "a report that is not kept"
  const counts = Object.entries(entry.counts).map(([name, value]) => `${value} ${name}`)
  const words = [whenOf(entry), entry.health && `health ${entry.health}`, ...counts]
  return `${words.filter(Boolean).join(", ")}; report ${at + 1} of ${entries.length}`
}
