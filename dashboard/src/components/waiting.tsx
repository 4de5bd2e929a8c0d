import { useConnectionStatus, useFeed, useView, useWebSocket } from "../hooks/use-feed.ts"
import { useTrouble } from "../hooks/use-trouble.ts"
import { withToken } from "../root.ts"
import { plain } from "../state/words.ts"
import { Icon } from "./icon.tsx"
import { TokenField } from "./token-field.tsx"

/** What is shown in place of a report while there is none. */
export function Waiting() {
  const { connection, sentence, isSettled } = useConnectionStatus()
  const { tryNow } = useWebSocket()
  const reason = useView((view) => view.source?.reason)
  const isAnswered = useFeed((feed) => feed.follower.phase !== "whole" || feed.status !== null)
  const trouble = useTrouble()
  const kind = connection.kind === "stopped" ? "stopped" : trouble ? "offline" : "connecting"
  return (
    <section className="card px-6 py-16 text-center">
      <h1 className="text-lg font-semibold">{titleOf(kind, isSettled && isAnswered)}</h1>
      <p className="foreign mx-auto mt-1 max-w-prose text-quiet">
        {plain(isSettled ? reason || "It appears here by itself." : (trouble?.sentence ?? sentence))}
      </p>
      {connection.kind === "stopped" && connection.code === "unauthorized" && (
        <div className="mx-auto mt-6 max-w-md in-data-kiosk:hidden">
          <TokenField
            label="Read token"
            action="Show the report"
            told="It is kept for this tab, until it is closed."
            onToken={(token) => location.assign(withToken(location.href, token))}
          />
        </div>
      )}
      {trouble && (
        <p className="mt-4 flex justify-center gap-2 in-data-kiosk:hidden">
          <button type="button" className="button" onClick={tryNow}>
            <Icon name="polling" />
            Try now
          </button>
          {connection.kind === "stopped" && connection.code === "not_served" && (
            <a className="button" href={location.pathname}>
              Show the first report
            </a>
          )}
        </p>
      )}
    </section>
  )
}

function titleOf(kind: string, isWaiting: boolean): string {
  if (isWaiting) return "Waiting for the first report"
  if (kind === "stopped") return "Nothing can be shown"
  return kind === "offline" ? "Not connected" : "Connecting…"
}
