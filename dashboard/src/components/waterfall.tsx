import { shareOf } from "../state/axis.ts"
import { type Bar, barsOf, msWords, type Place, percentile, type TracedChange } from "../state/trace.ts"
import { Sideways } from "./sideways.tsx"

const COLOURS: Readonly<Record<Place, string>> = {
  watcher: "bg-(--note)",
  broker: "bg-edge",
  gateway: "bg-accent",
  browser: "bg-(--good)",
}

export function Swatch({ place }: { place: Place }) {
  return <span aria-hidden="true" className={`inline-block size-2.5 shrink-0 rounded-xs ${COLOURS[place]}`} />
}

interface Props {
  readonly change: TracedChange
  /** All that are listed; what the percentiles are of. */
  readonly changes: readonly TracedChange[]
}

/** One change, hop by hop, each beside what it usually takes. */
export function Waterfall({ change, changes }: Props) {
  const bars = barsOf(change)
  const all = changes.map(barsOf)
  const ends = endsOf(bars, change.uncertaintyMs ?? 0)
  return (
    <Sideways label="Hops">
      <table className="w-full text-left tabular-nums">
        <caption className="sr-only">Where the time of the change went, hop by hop</caption>
        <thead className="text-xs text-quiet">
          <tr className="*:font-normal">
            <th scope="col" className="py-1.5 pl-4">
              Hop
            </th>
            <th scope="col" className="max-sm:hidden">
              <span className="sr-only">When</span>
            </th>
            <th scope="col" className="px-2 text-right whitespace-nowrap">
              This change
            </th>
            <th scope="col" className="px-2 text-right">
              p50
            </th>
            <th scope="col" className="pr-4 pl-2 text-right">
              p95
            </th>
          </tr>
        </thead>
        <tbody>
          {bars.map((bar, nth) => {
            const times = all.map((each) => each[nth]?.ms ?? Number.NaN)
            const doubt = bar.hop === "relay" ? change.uncertaintyMs : 0
            return <Hop key={bar.hop} bar={bar} times={times} doubt={doubt} ends={ends} />
          })}
        </tbody>
      </table>
    </Sideways>
  )
}

function endsOf(bars: readonly Bar[], doubt: number): readonly [number, number] {
  const edges = bars.flatMap(({ begin, ms }) => [begin, begin + (ms ?? 0)])
  return [Math.min(0, ...edges), Math.max(0.001, ...edges) + doubt]
}

interface HopProps {
  readonly bar: Bar
  readonly times: readonly number[]
  /** By how much it may be wrong, in ms; `null` if that is not known. */
  readonly doubt: number | null
  readonly ends: readonly [number, number]
}

function Hop({ bar, times, doubt, ends }: HopProps) {
  const [p50, p95] = [percentile(times, 0.5), percentile(times, 0.95)]
  return (
    <tr className="border-t border-line">
      <th scope="row" className="min-w-64 py-1.5 pl-4 font-normal max-sm:min-w-0">
        <span className="flex items-center gap-2 font-semibold">
          <Swatch place={bar.place} />
          {bar.word}
        </span>
        <span className="block pr-2 pl-4.5 text-xs text-quiet max-sm:pl-0 max-sm:leading-4">{bar.meaning}</span>
        <span className="mt-1 block sm:hidden">
          <Track bar={bar} doubt={doubt ?? 0} ends={ends} />
        </span>
      </th>
      <td className="w-full px-2 max-sm:hidden">
        <Track bar={bar} doubt={doubt ?? 0} ends={ends} />
      </td>
      <td className="px-2 text-right whitespace-nowrap">
        <Time bar={bar} doubt={doubt} />
      </td>
      <td className="px-2 text-right whitespace-nowrap text-quiet max-sm:px-1 max-sm:text-xs">
        {p50 === null ? "–" : msWords(p50)}
      </td>
      <td className="pr-4 pl-2 text-right whitespace-nowrap text-quiet max-sm:pr-3 max-sm:pl-1 max-sm:text-xs">
        {p95 === null ? "–" : msWords(p95)}
      </td>
    </tr>
  )
}

function Time({ bar: { ms, place }, doubt }: { bar: Bar; doubt: number | null }) {
  if (ms === null) {
    return <span className="text-quiet">{place === "browser" ? "not measured" : "not known"}</span>
  }
  return (
    <>
      <span className="font-semibold">{msWords(ms)}</span>
      {doubt !== 0 && doubt !== null && <span className="block text-xs text-quiet">± {msWords(doubt)}</span>}
      {doubt === null && <span className="block text-xs text-quiet">± unknown</span>}
      {ms < 0 && (
        <span data-tone="bad" className="block text-xs font-semibold text-tone">
          negative
        </span>
      )}
    </>
  )
}

const NEGATIVE = "border border-tone bg-[repeating-linear-gradient(135deg,var(--tone)_0_2px,transparent_2px_5px)]"

/** What leads backwards is hatched, and how wrong it may be is a line over its end. */
function Track({ bar: { begin, ms, place }, doubt, ends }: Omit<HopProps, "times" | "doubt"> & { doubt: number }) {
  if (ms === null) return null
  const [left, right] = [Math.min(begin, begin + ms), Math.max(begin, begin + ms)]
  return (
    <span aria-hidden="true" className="relative block h-4 rounded-xs bg-sunken max-sm:h-2.5">
      <span
        data-tone="bad"
        style={placeOf(left, right, ends)}
        className={`absolute inset-y-0 min-w-0.5 rounded-xs ${ms < 0 ? NEGATIVE : COLOURS[place]}`}
      />
      {doubt > 0 && (
        <span
          style={placeOf(begin + ms - doubt, begin + ms + doubt, ends)}
          className="absolute top-1/2 h-2 -translate-y-1/2 border-x border-ink before:absolute before:inset-x-0 before:top-1/2 before:border-t before:border-ink"
        />
      )}
    </span>
  )
}

function placeOf(from: number, to: number, ends: readonly [number, number]) {
  const [left, right] = [shareOf(from, ends), shareOf(to, ends)]
  return { left: `${left * 100}%`, width: `${(right - left) * 100}%` }
}

/** The way to a browser begins while the gateway still writes to others: they share the height. */
const HEIGHTS: Readonly<Record<Place, string>> = {
  watcher: "inset-y-0",
  broker: "inset-y-0",
  gateway: "top-0 bottom-1/2",
  browser: "top-1/2 bottom-0",
}

/** A change in one line, on a scale that all lines have; what is longer is cut off, and its number says so. */
export function MiniBar({ change, scaleMs }: { change: TracedChange; scaleMs: number }) {
  const bars = barsOf(change).filter(({ ms }) => ms !== null)
  const end = Math.max(...bars.map(({ begin, ms }) => begin + (ms ?? 0)))
  return (
    <span aria-hidden="true" className="relative block h-3 overflow-hidden rounded-xs bg-sunken max-sm:h-2">
      {bars.map((bar) => {
        const [begin, ms] = [bar.begin, bar.ms ?? 0]
        const style = placeOf(Math.min(begin, begin + ms), Math.max(begin, begin + ms), [0, scaleMs])
        const look = ms < 0 ? NEGATIVE : COLOURS[bar.place]
        return (
          <span
            key={bar.hop}
            data-tone="bad"
            style={style}
            className={`absolute min-w-px ${HEIGHTS[bar.place]} ${look}`}
          />
        )
      })}
      {end > scaleMs && (
        <span className="absolute inset-y-0 right-0 w-2.5 bg-card text-center text-[0.625rem] leading-3">›</span>
      )}
    </span>
  )
}
