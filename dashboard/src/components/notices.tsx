import { useConnectionStatus, useView, useWebSocket } from "../hooks/use-feed.ts"
import { useNow } from "../hooks/use-now.ts"
import { useTrouble } from "../hooks/use-trouble.ts"
import type { Finding } from "../protocol/index.ts"
import type { AuditView } from "../state/view.ts"
import { durationOf, momentOf, plain } from "../state/words.ts"
import { Icon } from "./icon.tsx"

/**
 * Why what is below may not be the whole truth; the regions are there before their text.
 *
 * What is of the connection is announced beside the header's word, so it is in none of them.
 */
export function Notices() {
  const view = useView((each) => each)
  const { isSettled } = useConnectionStatus()
  const sentence = sourceSentence(view)
  return (
    <>
      {view.body !== null && <Cut />}
      {!sentence && view.stale && isSettled && <Warning sentence={view.staleReason} />}
      <div role="status" className="empty:absolute">
        {sentence && <Warning sentence={sentence} />}
      </div>
      <div role="status" className="empty:absolute">
        {view.findings.length > 0 && <Findings findings={view.findings} />}
      </div>
    </>
  )
}

function Warning({ sentence }: { sentence: string | null }) {
  return (
    <p data-tone="warn" className="card flex gap-2.5 border-tone/50 bg-tone-ground px-4 py-2.5 text-tone">
      <Icon name="trouble" className="mt-0.5 size-4" />
      <span className="foreign min-w-0 flex-1">
        {plain(sentence ?? "")} <LateBy />
      </span>
    </p>
  )
}

function sourceSentence({ source, reasons, body }: AuditView): string | null {
  const reason = source?.reason ? `: ${source.reason}` : ""
  const below = body === null ? "There is no good report yet." : "Below is the last good one."
  switch (source?.state) {
    case "rejected":
      return `The report file is not served as it is now${reason}. ${below}`
    case "waiting":
      return body === null ? null : `The report file is being waited for${reason}. ${below}`
    case "overdue":
      return `The report is overdue${reason}.`
    default:
      return reasons.length ? `The service is degraded: ${reasons.join("; ")}.` : null
  }
}

/** Not announced: it changes each second. */
function LateBy() {
  // Who does not hear whether it came does not say that it did not.
  const dueAt = useView((view) => (view.source?.state === "overdue" && !view.stale ? view.source.dueAt : null))
  const ahead = useView((view) => view.serverAhead)
  const late = useNow() + ahead - (dueAt ?? 0)
  if (dueAt === null) return null
  return (
    <b role="timer" aria-live="off" className="font-semibold tabular-nums">
      Late by {durationOf(Math.floor(Math.max(0, late) / 1000))}.
    </b>
  )
}

/**
 * That there is no connection, once that lasts. It lies over the end of the window, so that nothing moves for it; it is
 * announced beside the header's word.
 */
function Cut() {
  const { tryNow } = useWebSocket()
  const trouble = useTrouble()
  const receivedAt = useView((view) => view.receivedAt)
  if (!trouble) return null
  const { word, sentence } = trouble
  return (
    <section
      aria-label="No connection"
      data-cut=""
      data-tone="bad"
      className="fixed inset-x-0 bottom-0 z-30 border-t border-tone bg-tone-ground text-tone shadow-float max-md:bottom-14 print:hidden in-data-kiosk:max-md:bottom-0"
    >
      <p className="mx-auto flex min-h-13 w-full max-w-[92rem] items-center gap-2.5 px-6 py-2 max-sm:px-3.5">
        <Icon name="trouble" />
        <span className="foreign min-w-0 flex-1">
          {word === "Stopped" ? sentence : `Not connected: ${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`}
          {receivedAt !== null && ` What is shown is what came at ${momentOf(receivedAt)}.`}
        </span>
        <button type="button" className="button text-ink in-data-kiosk:hidden" onClick={tryNow}>
          Try now
        </button>
      </p>
    </section>
  )
}

function Findings({ findings }: { findings: readonly Finding[] }) {
  const many = findings.length === 1 ? "one thing is odd" : `${findings.length} things are odd`
  return (
    <section data-tone="note" className="card border-l-4 border-l-tone px-4 py-2.5">
      <p className="font-semibold">This report is valid, but {many} about it.</p>
      <ul className="mt-0.5 max-h-40 list-disc overflow-auto pl-5 text-quiet">
        {findings.map(({ message, line, column }) => (
          <li key={`${line} ${column} ${message}`} className="foreign">
            {plain(message)}
          </li>
        ))}
      </ul>
    </section>
  )
}
