import { useEffect, useState } from "react"
import { isObject, isText, type JsonObject } from "../state/json.ts"
import { useShared } from "./context.ts"

export interface GatewayStatus {
  readonly server: string | null
  /** How every channel that is served fares, in a word. */
  readonly channels: Readonly<Record<string, string>>
  readonly expectedEveryS: number | null
  /** When the next report is or was due, in ms. */
  readonly dueAt: number | null
}

const EVERY_MS = 60_000
const SOON_MS = 1_000
/** Every page is told of the same news at the same moment, and what is asked for here can wait. */
const SPREAD_MS = 30_000

/** What `/api/ws/status` says beside what the feed tells; `null` until it did. */
export function useGatewayStatus(): GatewayStatus | null {
  const { client, gateway, store } = useShared()
  const [status, setStatus] = useState<GatewayStatus | null>(null)
  useEffect(() => {
    const abort = new AbortController()
    let isKnown = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = async () => {
      const askedAt = performance.now()
      const answer = await gateway.getJson("api/ws/status", abort.signal).catch(() => null)
      if (!isObject(answer) || abort.signal.aborted) return
      if (isText(answer.timestamp)) store.tellTime(answer.timestamp, performance.now() - askedAt)
      isKnown = true
      setStatus(readStatus(answer))
    }
    const askSoon = () => {
      timer ??= setTimeout(
        () => {
          timer = undefined
          ask()
        },
        Math.random() * (isKnown ? SPREAD_MS : SOON_MS),
      )
    }
    let told = client.getFeed().status
    const unsubscribe = client.subscribe((feed) => {
      if (feed.status !== told) askSoon()
      told = feed.status
    })
    askSoon()
    const often = setInterval(() => document.hidden || ask(), EVERY_MS)
    return () => {
      unsubscribe()
      abort.abort()
      clearTimeout(timer)
      clearInterval(often)
    }
  }, [client, gateway, store])
  return status
}

function readStatus(answer: JsonObject): GatewayStatus {
  const source = isObject(answer.source) ? answer.source : {}
  const due = isText(source.dueAt) ? Date.parse(source.dueAt) : Number.NaN
  const channels = isObject(answer.channels) ? Object.entries(answer.channels) : []
  return {
    server: isText(answer.server) ? answer.server : null,
    channels: Object.fromEntries(channels.map(([name, condition]) => [name, String(condition)])),
    expectedEveryS: typeof source.expectedEveryS === "number" ? source.expectedEveryS : null,
    dueAt: Number.isNaN(due) ? null : due,
  }
}
