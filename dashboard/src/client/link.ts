/** One connection, or a row of polls, whatever carries the frames. */

import type { Position } from "../protocol/index.ts"
import type { StopCode, Where } from "./state.ts"

/** Why it ended. */
export interface End {
  /** One sentence. */
  readonly reason: string
  /** When the gateway wants the client back. */
  readonly retryAfterMs?: number | undefined
  /** Whether that is meant for this client alone, so that it need not be spread. */
  readonly isExact?: boolean
  /** Whether another transport may fare better. */
  readonly isOfTransport?: boolean
  /** If to come back would end the same way. */
  readonly final?: StopCode | undefined
}

/** What a connection tells. */
export interface Hearing {
  /** A frame came, as written. */
  frame(text: string): void
  /** Something came: the other side is there. */
  alive(): void
  /** It is over; called once, and not after `close`. */
  ended(end: End): void
}

/** What can be asked of a connection. */
export interface Way {
  /** Follow again, from there or for the whole report. */
  follow(from: Position | null): void
  /** Ask for the newest report. */
  refresh(): void
  /** Ask for a sign of life; whether that can be done. */
  ping(): boolean
  /** For how long silence means nothing, in ms; `heartbeatMs` is how often the gateway says something. */
  patienceMs(heartbeatMs: number): number
}

export interface Link extends Way {
  /** Abandon it: nothing more is told, and nothing waited for. */
  close(): void
}

/** What a transport needs to know. */
export interface Wish extends Where {
  /** Where the client stands, now. */
  readonly position: () => Position | null
  /** The tag of how it was told that the channel fares. */
  readonly told: () => string | undefined
  /** How a poll waits at the gateway, in s, and how long it pauses before the next one, in ms. */
  readonly waitS: number
  readonly pauseMs: number
}

/** Begin a connection, which is abandoned with `signal`; it tells nothing before this returns. */
export type Open = (wish: Wish, hear: Hearing, signal: AbortSignal) => Way

/** A connection may take so long until the gateway has said something. */
export const OPEN_MS = 10_000

/** For how long the silence of a gateway means nothing that says something every `heartbeatMs`. */
export const silenceMs = (heartbeatMs: number) => heartbeatMs + Math.min(heartbeatMs, OPEN_MS / 2)

/** Open a connection of which nothing is heard any more once it was closed, or has ended. */
export function linked(open: Open, wish: Wish, hear: Hearing): Link {
  const ending = new AbortController()
  const { signal } = ending
  const heard: Hearing = {
    frame: (text) => void (signal.aborted || hear.frame(text)),
    alive: () => void (signal.aborted || hear.alive()),
    ended: (end) => {
      if (signal.aborted) return
      ending.abort()
      hear.ended(end)
    },
  }
  return { ...open(wish, heard, signal), close: () => ending.abort() }
}

const FINAL: Readonly<Record<number, StopCode>> = {
  400: "refused",
  401: "unauthorized",
  403: "forbidden",
  404: "not_served",
}
/** A proxy says so whose gateway does not answer, or who has enough of us. */
const AWAY = [429, 502, 503, 504]

type Query = Readonly<Record<string, string | number | undefined>>

/** Give an address of the gateway with a query. */
export function address({ url, channel }: Where, path: string, query: Query = {}): URL {
  const found = new URL(path, url)
  for (const [name, value] of Object.entries({ channel, ...query })) {
    if (value !== undefined) found.searchParams.set(name, `${value}`)
  }
  return found
}

/** Give where the client stands, as HTTP has it; empty for nowhere. */
export function since({ position }: Wish): string {
  const at = position()
  return at ? `${at.epoch}:${at.offset}` : ""
}

/** Give the way of what cannot be talked to: whatever is wanted is another request. */
export function asking(again: () => void, patienceMs: Way["patienceMs"]): Way {
  const ping = () => {
    again()
    return true
  }
  return { follow: again, refresh: again, ping, patienceMs }
}

/** Ask the gateway. */
export function ask(where: Where, signal: AbortSignal, path: string, query?: Query): Promise<Response> {
  const headers = where.token ? { Authorization: `Bearer ${where.token}` } : {}
  return fetch(address(where, path, query), { cache: "no-store", headers, signal })
}

/** Read an answer as it comes. */
export async function* pieces({ body }: Response): AsyncGenerator<string> {
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader()
  for (;;) {
    const read = await reader?.read()
    if (!read || read.done) return
    yield read.value
  }
}

/** Read why a request was refused: by the gateway, or by what stands before it. */
export async function refusal(response: Response): Promise<End> {
  let sentence: string | undefined
  const text = await response.text()
  try {
    const told: { error?: unknown } | null = JSON.parse(text)
    if (typeof told?.error === "string") sentence = told.error
  } catch {
    // It is not the gateway's.
  }
  const { status } = response
  const isOurs = sentence !== undefined
  return {
    reason: sentence ?? `no gateway answers, but something that says ${status}`,
    retryAfterMs: retryAfterMs(response),
    isOfTransport: !isOurs && !AWAY.includes(status),
    final: isOurs ? FINAL[status] : undefined,
  }
}

/** Read when the gateway wants the client back. */
export function retryAfterMs(response: Response): number | undefined {
  const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN)
  return Number.isFinite(seconds) ? seconds * 1000 : undefined
}

/** What became of a request that brought no answer. */
export const UNREACHABLE: End = { reason: "the gateway cannot be reached" }
export const STRANGER: End = { reason: "what answers is no gateway", isOfTransport: true }
export const CUT: End = { reason: "the connection was lost", isOfTransport: true }
