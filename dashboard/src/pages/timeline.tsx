import { useMemo, useState } from "react"
import { Absent } from "../components/difference.tsx"
import { HistoryChart } from "../components/history-chart.tsx"
import { HistoryTable } from "../components/history-table.tsx"
import { Icon } from "../components/icon.tsx"
import { PanelBoundary } from "../components/panel-boundary.tsx"
import { type Handle, Scrubber } from "../components/scrubber.tsx"
import { Segments } from "../components/segments.tsx"
import { SelectedReport } from "../components/selected-report.tsx"
import { Stepper } from "../components/stepper.tsx"
import { useView } from "../hooks/use-feed.ts"
import { useHistory } from "../hooks/use-history.ts"
import { useNow } from "../hooks/use-now.ts"
import { hashOf, navigate, useRoute } from "../route.ts"
import { sentenceOf } from "../state/gateway.ts"
import type { Entry } from "../state/history.ts"
import { nameAt, parseSelection, placeOf, type Selection, writeSelection } from "../state/selection.ts"
import { endsOf, SPANS, type Span, spansFor, untilOf } from "../state/span.ts"

/** On a wall screen side by side, and no higher than the screen: nobody scrolls there. */
const PANELS =
  "flex flex-col gap-4 max-sm:gap-3 in-data-kiosk:lg:min-h-0 in-data-kiosk:lg:flex-1 in-data-kiosk:lg:flex-row"

/** How the counts went over the kept reports; any of them, and what is different between any two. */
export default function Timeline() {
  const { entries, error, ask, isAnswered } = useHistory()
  const { params } = useRoute()
  const text = params.get("at")
  const selection = useMemo(() => parseSelection(text, entries), [text, entries])
  const choose = (change: Partial<Selection>) =>
    navigate(hashOf("timeline", { at: writeSelection({ ...selection, ...change }) }), { replace: true })
  return (
    <>
      <h1 className="sr-only">Timeline</h1>
      <div data-fit="" className={PANELS}>
        <PanelBoundary name="The chart">
          <section
            aria-labelledby="counts-title"
            className="card flex flex-col in-data-kiosk:min-w-0 in-data-kiosk:flex-2"
          >
            <Chart entries={entries} selection={selection} onChoose={choose} isKnown={isAnswered || error !== null} />
            {error !== null && <Absent sentence={`The history is not known: ${sentenceOf(error)}.`} onRetry={ask} />}
          </section>
        </PanelBoundary>
        <PanelBoundary name="The report">
          <SelectedReport entries={entries} selection={selection} isKnown={isAnswered} />
        </PanelBoundary>
      </div>
      <HistoryTable entries={entries} />
    </>
  )
}

interface Props {
  readonly entries: readonly Entry[]
  readonly selection: Selection
  readonly onChoose: (change: Partial<Selection>) => void
  readonly isKnown: boolean
}

function Chart({ entries, selection, onChoose, isKnown }: Props) {
  const [chosen, setSpan] = useState<Span>("all")
  const [pointed, setPointed] = useState(-1)
  const ahead = useView((view) => view.serverAhead)
  const until = untilOf(entries, useNow() + ahead)
  const spans = spansFor(entries, until)
  const span = spans.includes(chosen) ? chosen : "all"
  const ends = useMemo(() => endsOf(entries, span, until), [entries, span, until])
  const handles = handlesOf(entries, selection, onChoose)
  const at = handles.at(-1)?.at ?? -1
  const from = handles.length === 2 ? (handles[0]?.at ?? -1) : -1
  return (
    <>
      <header className="flex min-h-12 flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2">
        <h2 id="counts-title" className="title">
          Counts over time
        </h2>
        <span className="text-xs text-quiet tabular-nums">
          {isKnown && `${entries.length.toLocaleString()} ${entries.length === 1 ? "report" : "reports"}`}
        </span>
        <span className="ml-auto">
          {spans.length > 0 && (
            <Segments
              label="How much of it"
              choices={spans.map((each) => [each, SPANS[each][0]])}
              value={span}
              onChoose={setSpan}
            />
          )}
        </span>
      </header>
      <HistoryChart entries={entries} ends={ends} at={pointed < 0 ? at : pointed} from={from}>
        <Scrubber entries={entries} ends={ends} handles={handles} pointed={pointed} onPoint={setPointed} />
      </HistoryChart>
      <footer className="flex flex-wrap items-center gap-3 border-t border-line px-4 py-2.5 in-data-kiosk:hidden print:hidden">
        {handles.map(({ label, ...handle }) => (
          <Stepper key={label} label={label} entries={entries} {...handle} />
        ))}
        <Choices entries={entries} selection={selection} at={at} onChoose={onChoose} />
      </footer>
    </>
  )
}

function handlesOf(entries: readonly Entry[], { from, at }: Selection, onChoose: Props["onChoose"]): Handle[] {
  const onMove = (place: number) => onChoose({ at: nameAt(place, entries) })
  const to: Handle = { label: from === null ? "At" : "To", at: placeOf(at, entries), onMove }
  if (from === null) return [to]
  const onMoveFrom = (place: number) => onChoose({ from: entries[place]?.name ?? null })
  return [{ label: "From", at: placeOf(from, entries), onMove: onMoveFrom }, to]
}

function Choices({ entries, selection, at, onChoose }: Omit<Props, "isKnown"> & { at: number }) {
  const isComparing = selection.from !== null
  const before = entries[(at < 0 ? entries.length : at) - 1]?.name
  // The first is compared with the newest, for there is none before it.
  const two = before === undefined ? { from: selection.at, at: null } : { from: before }
  return (
    <div className="ml-auto flex flex-wrap gap-2 max-sm:ml-0">
      {selection.at !== null && (
        <button type="button" className="button" onClick={() => onChoose({ at: null })}>
          <Icon name="clock" />
          Newest
        </button>
      )}
      <button
        type="button"
        className="button aria-pressed:border-accent aria-pressed:bg-accent-ground aria-pressed:text-accent"
        aria-pressed={isComparing}
        disabled={entries.length < 2}
        onClick={() => onChoose(isComparing ? { from: null } : two)}
      >
        <Icon name="plusminus" />
        Compare two
      </button>
    </div>
  )
}
