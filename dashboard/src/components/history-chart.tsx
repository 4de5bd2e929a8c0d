import { memo, type ReactNode, useMemo } from "react"
import { countEnds, shareOf, timeTicks } from "../state/axis.ts"
import { countsIn, type Entry } from "../state/history.ts"
import { HealthBand, HealthWord } from "./health-band.tsx"
import { toneOf } from "./status-badge.tsx"
import { StepLine } from "./step-line.tsx"

interface Props {
  /** Oldest first; what is before the beginning stands at its edge. */
  readonly entries: readonly Entry[]
  /** The first and the last time that is to be seen, in ms. */
  readonly ends: readonly [number, number]
  /** The places of the report whose counts are written, and of the one that it is compared with (-1: none). */
  readonly at: number
  readonly from: number
  /** What lies over all bands, and can be pointed at. */
  readonly children: ReactNode
}

/** A band for the health and for each count, over one axis of time; each with its value in the report pointed at. */
export function HistoryChart({ entries, ends, at, from, children }: Props) {
  const names = useMemo(() => countsIn(entries), [entries])
  const seen = useMemo(() => entries.filter((_, place) => isSeen(entries, place, ends[0])), [entries, ends])
  const xs = useMemo(() => seen.map(({ x }) => shareOf(x, ends)), [seen, ends])
  const [now, before] = [entries[at], entries[from]]
  const hasHealth = entries.some(({ health }) => health !== null)
  return (
    <div className="relative flex flex-col [--label:11.25rem] [--margin:1rem] in-data-kiosk:flex-1 max-sm:[--label:2rem] max-sm:[--margin:0.75rem]">
      {hasHealth && (
        <Band label="Health" value={now ? <HealthWord health={now.health} /> : UNKEPT} isLow>
          <HealthBand entries={seen} xs={xs} />
        </Band>
      )}
      {names.map((name) => (
        <Band
          key={name}
          label={name}
          tone={toneOf(name)}
          value={now ? <Value value={now.counts[name]} before={before?.counts[name]} /> : UNKEPT}
        >
          <Line name={name} entries={seen} xs={xs} />
        </Band>
      ))}
      <TimeAxis ends={ends} />
      <div className="absolute inset-y-0 right-(--margin) left-(--label)">{children}</div>
    </div>
  )
}

/** Nothing is known of a report that is not kept any more; below the chart it says so. */
const UNKEPT = <span className="font-normal text-quiet">–</span>

interface BandProps {
  readonly label: string
  readonly tone?: string | undefined
  readonly value: ReactNode
  readonly isLow?: boolean
  readonly children: ReactNode
}

function Band({ label, tone = "none", value, isLow = false, children }: BandProps) {
  const height = isLow ? "h-8 in-data-kiosk:h-12" : "h-14 in-data-kiosk:h-auto in-data-kiosk:min-h-12"
  // On a wall screen the bands fill what there is.
  const grows = isLow ? "" : "in-data-kiosk:flex-1"
  return (
    <div data-tone={tone} className={`flex border-t border-line max-sm:flex-col ${grows}`}>
      <p className="flex w-[calc(var(--label)-1.5rem)] items-center justify-between gap-2 self-center px-4 max-sm:pointer-events-none max-sm:z-10 max-sm:w-full max-sm:self-auto max-sm:bg-card max-sm:pr-5 max-sm:pl-3 max-sm:pt-1">
        <span className="text-xs text-quiet capitalize">{label}</span>
        <span className="font-semibold tabular-nums">{value}</span>
      </p>
      <div className={`relative mr-(--margin) min-w-0 flex-1 max-sm:ml-(--label) max-sm:flex-none ${height}`}>
        {children}
      </div>
    </div>
  )
}

function Value({ value, before }: { value: number | undefined; before: number | undefined }) {
  const by = (value ?? Number.NaN) - (before ?? Number.NaN)
  return (
    <>
      {by !== 0 && !Number.isNaN(by) && (
        <span className="mr-2 text-xs font-medium text-quiet">
          {by > 0 ? "+" : "−"}
          {Math.abs(by).toLocaleString()}
        </span>
      )}
      {value === undefined ? <span className="font-normal text-quiet">not told</span> : value.toLocaleString()}
    </>
  )
}

/** What an axis ends at, left of it. */
const END = "absolute right-full pr-1.5 text-[0.625rem] leading-4 text-quiet tabular-nums"

interface LineProps {
  readonly name: string
  readonly entries: readonly Entry[]
  readonly xs: readonly number[]
}

/** Not drawn anew for each report that is pointed at. */
const Line = memo(function Line({ name, entries, xs }: LineProps) {
  const values = useMemo(() => entries.map(({ counts }) => counts[name] ?? Number.NaN), [entries, name])
  const scale = useMemo(() => countEnds(values), [values])
  const shares = useMemo(() => values.map((value) => shareOf(value, scale)), [values, scale])
  return (
    <>
      <span className={`top-0.5 ${END}`}>{scale[1].toLocaleString()}</span>
      <span className={`bottom-0 ${END}`}>{scale[0].toLocaleString()}</span>
      <StepLine xs={xs} ys={shares} isFilled={scale[0] === 0} isPlain={name === "total"} />
    </>
  )
})

/** The last report before the beginning holds until the next. */
function isSeen(entries: readonly Entry[], at: number, begin: number): boolean {
  return (entries[at + 1]?.x ?? Number.POSITIVE_INFINITY) >= begin
}

function TimeAxis({ ends }: { ends: readonly [number, number] }) {
  const ticks = timeTicks(...ends)
  return (
    <div
      aria-hidden="true"
      className="relative mr-(--margin) ml-(--label) h-6 border-t border-line text-[0.6875rem] text-quiet"
    >
      {ticks.map(({ at, label }, nth) => {
        const share = shareOf(at, ends)
        // Near the end there is no room behind the tick.
        const side = share > 0.9 ? "-translate-x-full border-r pr-1" : "border-l pl-1"
        return (
          <span
            key={at}
            style={{ left: `${share * 100}%` }}
            className={`absolute top-0 border-edge/60 pt-0.5 leading-4 whitespace-nowrap tabular-nums ${side} ${nth % 2 ? "max-sm:hidden in-data-kiosk:hidden" : ""}`}
          >
            {label}
          </span>
        )
      })}
    </div>
  )
}
