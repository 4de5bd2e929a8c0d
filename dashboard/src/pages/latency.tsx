import { useSyncExternalStore } from "react"
import { Absent } from "../components/difference.tsx"
import { LatencyFigures } from "../components/latency-figures.tsx"
import { PanelBoundary } from "../components/panel-boundary.tsx"
import { TracedChanges } from "../components/traced-changes.tsx"
import { Swatch, Waterfall } from "../components/waterfall.tsx"
import { useShared } from "../hooks/context.ts"
import { useAnswer } from "../hooks/use-answer.ts"
import { useView } from "../hooks/use-feed.ts"
import { hashOf, useRoute } from "../route.ts"
import { sentenceOf } from "../state/gateway.ts"
import { msWords, PLACES, percentile, readTrace, screenTimes, type TracedChange, withPainted } from "../state/trace.ts"
import { momentOf } from "../state/words.ts"

/** Others' paints come without a change. */
const EVERY_MS = 15_000

/** Where the time of the last changes went, hop by hop. */
export default function Latency() {
  const offset = useView((view) => view.offset)
  const { value: trace, error, ask } = useAnswer("api/trace", readTrace, { again: offset, everyMs: EVERY_MS })
  const { latencies } = useShared()
  // What this page painted itself: the gateway asks for a share of the changes alone.
  const mine = useSyncExternalStore(latencies.subscribe, latencies.recent)
  const chosen = useRoute().params.get("change")
  const changes = trace?.changes.map((change) => withPainted(change, mine.get(change.key))) ?? []
  const present = chosen === null ? changes[0] : changes.find(({ key }) => key === chosen)
  const [asked, answered] = trace?.workers ?? [1, 1]
  return (
    <>
      <h1 className="sr-only">Latency</h1>
      {error !== null && (
        <div className="card">
          <Absent sentence={`The latency is not known: ${sentenceOf(error)}.`} onRetry={ask} />
        </div>
      )}
      {answered < asked && (
        <p data-tone="warn" className="card px-4 py-2.5 text-tone">
          {asked - answered} of {asked} worker processes did not answer; what they saw is missing here.
        </p>
      )}
      {trace && (
        <PanelBoundary name="The figures">
          <LatencyFigures trace={{ ...trace, changes }} />
        </PanelBoundary>
      )}
      <PanelBoundary name="The waterfall">
        <section aria-labelledby="waterfall-title" className="card">
          {present ? (
            <Present change={present} changes={changes} isNewest={chosen === null} />
          ) : (
            <>
              <h2 id="waterfall-title" className="title px-4 py-3">
                Hop by hop
              </h2>
              {trace && <Absent sentence={chosen === null ? NONE_YET : FORGOTTEN} />}
              {!trace && error === null && <Absent sentence={null} />}
            </>
          )}
        </section>
      </PanelBoundary>
      {changes.length > 0 && (
        <PanelBoundary name="The list of changes">
          <TracedChanges changes={changes} present={present?.key ?? null} />
        </PanelBoundary>
      )}
    </>
  )
}

const NONE_YET = "This gateway has not seen a report change yet. The next change appears here by itself."
const FORGOTTEN = "This change is not remembered any more; the last hundred are."

interface PresentProps {
  readonly change: TracedChange
  readonly changes: readonly TracedChange[]
  readonly isNewest: boolean
}

function Present({ change, changes, isNewest }: PresentProps) {
  const screen = percentile(screenTimes(change), 0.5)
  const doubt = change.uncertaintyMs ? ` ± ${msWords(change.uncertaintyMs)}` : ""
  return (
    <>
      <header className="flex min-h-11 flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2">
        <h2 id="waterfall-title" className="title">
          {isNewest ? "The last change" : "The change"} of {momentOf(change.modifiedAt)}
        </h2>
        <span className="text-quiet tabular-nums">
          {change.ageMs === null ? "all in all not known" : `written after ${msWords(change.ageMs)}${doubt}`}
          {screen !== null && `, on the screen after ${msWords(screen)}`}
          {change.painted.length > 1 && ` (the middle of ${change.painted.length} browsers)`}
        </span>
        <ul aria-label="Colours" className="ml-auto flex flex-wrap gap-x-3 text-xs text-quiet">
          {PLACES.map((place) => (
            <li key={place} className="flex items-center gap-1.5 capitalize">
              <Swatch place={place} />
              {place}
            </li>
          ))}
        </ul>
        {!isNewest && (
          <a className="link" href={hashOf("latency")}>
            Show the newest
          </a>
        )}
      </header>
      <Waterfall change={change} changes={changes} />
      {Object.values(change.hopsMs).some((ms) => ms < 0) && (
        <p className="border-t border-line px-4 py-2.5 text-xs text-quiet">
          A hop is negative where two hosts' clocks differ by more than it took, and by more than is known of them. It
          is shown as it was measured.
        </p>
      )}
    </>
  )
}
