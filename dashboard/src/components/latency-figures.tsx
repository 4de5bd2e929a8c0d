import { type Clock, msWords, percentile, screenTimes, type Trace } from "../state/trace.ts"

/** What the last changes took, and how far the clocks are known that it is told by. */
export function LatencyFigures({ trace: { changes, clocks, paintSample } }: { trace: Trace }) {
  const ages = changes.map(({ ageMs }) => ageMs ?? Number.NaN)
  const screens = changes.flatMap(screenTimes)
  const others = paintSample ? `; others tell ${share(paintSample)} of theirs` : ""
  return (
    <section aria-label="Figures" className="grid gap-3 sm:grid-cols-3">
      <Figure name="From the file until every client was sent it" values={ages} of="change" otherwise="none is known" />
      <Figure
        name="From the file to the screen"
        values={screens}
        of="paint"
        otherwise={`this page measures the changes that it sees arrive${others}`}
      />
      <div className="card px-4 py-3">
        <h2 className="text-xs text-quiet">Clocks, compared with the broker's</h2>
        <dl className="mt-1 grid grid-cols-[auto_1fr] gap-x-3">
          <ClockFact name="Watcher" clock={clocks.watcher} />
          <ClockFact name="Gateway" clock={clocks.gateway} />
        </dl>
      </div>
    </section>
  )
}

function share(sample: number): string {
  return sample.toLocaleString(undefined, { style: "percent", maximumFractionDigits: 2 })
}

interface FigureProps {
  readonly name: string
  readonly values: readonly number[]
  /** What the values are of, for people; one of them. */
  readonly of: string
  readonly otherwise: string
}

function Figure({ name, values, of, otherwise }: FigureProps) {
  const [p50, p95] = [percentile(values, 0.5), percentile(values, 0.95)]
  const count = values.filter(Number.isFinite).length
  return (
    <div className="card px-4 py-3">
      <h2 className="text-xs text-quiet">{name}</h2>
      {p50 === null || p95 === null ? (
        <p className="mt-1 text-quiet first-letter:uppercase">{otherwise}.</p>
      ) : (
        <>
          <p className="flex items-baseline gap-4 text-2xl leading-9 font-semibold tracking-tight tabular-nums">
            {msWords(p50)}
            <span className="text-base font-medium text-quiet">p95 {msWords(p95)}</span>
          </p>
          <p className="text-xs text-quiet">
            p50 of {count === 1 ? `one ${of}` : `the last ${count.toLocaleString()} ${of}s`}
          </p>
        </>
      )}
    </div>
  )
}

function ClockFact({ name, clock }: { name: string; clock: Clock | null }) {
  return (
    <>
      <dt className="text-quiet">{name}</dt>
      <dd className="tabular-nums">{clock ? clockWords(clock) : "not compared yet"}</dd>
    </>
  )
}

/** What has to be added to a clock is what it is behind. */
function clockWords({ offsetMs, uncertaintyMs }: Clock): string {
  if (!offsetMs && !uncertaintyMs) return "the same clock"
  const side = offsetMs > 0 ? "behind" : "ahead"
  return `${msWords(Math.abs(offsetMs))} ${side}, ± ${msWords(uncertaintyMs)}`
}
