import { useId, useSyncExternalStore } from "react"
import type { ConnectionState } from "../client/index.ts"
import { useShared } from "../hooks/context.ts"
import { useConnectionStatus, useFeed, useView, useWebSocket } from "../hooks/use-feed.ts"
import { useNow } from "../hooks/use-now.ts"
import { useTrouble } from "../hooks/use-trouble.ts"
import { diagnosticsOf } from "../state/diagnostics.ts"
import { type Situation, transportOf } from "../state/situation.ts"
import { dataAt } from "../state/view.ts"
import { ageOf, latencyWords, momentOf } from "../state/words.ts"
import { Age } from "./age.tsx"
import { CopyButton } from "./copy-button.tsx"
import { Icon, type IconName } from "./icon.tsx"
import { RealTimeToggle } from "./real-time-toggle.tsx"

const ICONS: Readonly<Record<Exclude<Situation["icon"], "live">, IconName>> = {
  polling: "polling",
  waiting: "waiting",
  trouble: "trouble",
  stopped: "stopped",
}

/** Whether what is shown is live, and how old it is; all there is to know about it behind a press. */
export function ConnectionStatus() {
  const present = useConnectionStatus()
  // An attempt in a long outage is no news.
  const { word, tone, icon } = useTrouble() ?? present
  const madeAt = useView(dataAt)
  const ahead = useView((view) => view.serverAhead)
  const id = useId()
  return (
    <>
      <button
        type="button"
        popoverTarget={id}
        data-tone={tone}
        className="flex min-h-9 items-center gap-2 rounded-full bg-tone-ground pr-3 pl-2.5 font-semibold text-tone print:hidden in-data-kiosk:gap-3 in-data-kiosk:px-4 in-data-kiosk:text-xl lg:in-data-kiosk:text-[1.75rem] in-data-kiosk:leading-[1.75]"
      >
        {icon === "live" ? (
          <span aria-hidden="true" className="m-1 size-2 animate-pulse-ring rounded-full bg-current" />
        ) : (
          <Icon name={ICONS[icon]} />
        )}
        <span>{word}</span>
        {madeAt !== null && (
          <span className="border-l border-current/25 pl-2 font-normal">
            <span className="max-lg:sr-only">data </span>
            <Age at={madeAt} ahead={ahead} bare />
            <span className="max-[22rem]:sr-only"> old</span>
          </span>
        )}
        <span className="sr-only">, details of the connection</span>
      </button>
      <section
        id={id}
        popover="auto"
        aria-label="Connection"
        className="card top-14 right-4 max-h-[calc(100dvh-4rem)] w-88 overflow-y-auto max-w-[calc(100vw-2rem)] p-4 text-ink shadow-float"
      >
        <Details />
      </section>
    </>
  )
}

function Details() {
  const { word, tone, sentence } = useConnectionStatus()
  const { client } = useShared()
  const { connection, refresh } = useWebSocket()
  const isLasting = useTrouble() !== null
  return (
    <div className="space-y-3">
      <div>
        <h2 data-tone={tone} className="title text-tone">
          {word}
        </h2>
        <p className="foreign text-quiet">{sentence}</p>
        {(connection.kind === "offline" || connection.kind === "stopped" || isLasting) && <NextAttempt />}
      </div>
      <Facts />
      <RealTimeToggle />
      <div className="flex gap-2">
        <button type="button" className="button" onClick={refresh}>
          <Icon name="polling" />
          Refresh
        </button>
        <CopyButton what="diagnostics" label="Copy diagnostics" text={() => diagnosticsOf(client)} />
      </div>
    </div>
  )
}

function NextAttempt() {
  const { connection, tryNow } = useWebSocket()
  const now = useNow()
  return (
    <p className="mt-2 flex items-center gap-3">
      <button type="button" className="button" onClick={tryNow}>
        Try now
      </button>
      <span className="text-quiet tabular-nums">{attemptWords(connection, now)}</span>
    </p>
  )
}

function attemptWords(connection: ConnectionState, now: number): string {
  if (connection.kind === "connecting") return "Trying now…"
  if (connection.kind !== "offline") return ""
  return connection.retryAt === null
    ? "Once there is a network."
    : `Next attempt in ${ageOf(connection.retryAt - now)}.`
}

const SHARING = {
  alone: "this tab's own",
  leader: "shared with other tabs",
  follower: "another tab's, shared",
} as const

function Facts() {
  const connection = useFeed((feed) => feed.connection)
  const sharing = useFeed((feed) => feed.sharing)
  const server = useFeed((feed) => feed.hello?.server)
  const modifiedAt = useView((view) => view.modifiedAt)
  const receivedAt = useView((view) => view.receivedAt)
  const ahead = useView((view) => view.serverAhead)
  const { latencies } = useShared()
  const latency = useSyncExternalStore(latencies.subscribe, latencies.get)
  const facts = [
    ["Transport", transportOf(connection)],
    ["Connection", SHARING[sharing]],
    ["Since", "since" in connection ? momentOf(connection.since) : null],
    ["File changed", modifiedAt === null ? null : <Age key="age" at={modifiedAt} ahead={ahead} />],
    ["Received", receivedAt === null ? null : momentOf(receivedAt)],
    ["File to screen", latency ? latencyWords(latency.totalMs) : null],
    ["Server", server],
  ] as const
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-0.5 border-y border-line py-2">
      {facts.map(([name, value]) =>
        value ? (
          <div key={name} className="contents">
            <dt className="text-quiet">{name}</dt>
            <dd className="foreign text-right tabular-nums">{value}</dd>
          </div>
        ) : null,
      )}
    </dl>
  )
}
