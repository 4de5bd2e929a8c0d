/** A connection's state as people read it: an icon's name, a word, a tone, and a sentence. Pure. */

import type { ConnectionState, Feed, Mode, TransportName } from "../client/index.ts"
import type { Tone } from "./toasts.ts"
import { sentenceOf } from "./words.ts"

export interface Situation {
  readonly icon: "live" | "polling" | "waiting" | "trouble" | "stopped"
  readonly word: string
  readonly tone: Tone
  readonly sentence: string
}

export const TRANSPORTS: Readonly<Record<TransportName, string>> = {
  websocket: "WebSocket",
  events: "Event stream",
  poll: "Polling",
}

/** @param status How the feed fares, by the gateway: who is connected is not told the newest by that alone. */
export function situationOf(connection: ConnectionState, mode: Mode, status: Feed["status"]): Situation {
  const works = connection.kind === "live" || connection.kind === "degraded"
  if (works && status && (status.stale || status.reasons.length)) return troubled(status)
  switch (connection.kind) {
    case "idle":
      return { icon: "waiting", word: "Not started", tone: "note", sentence: "Nothing is connected yet." }
    case "connecting":
      return { icon: "waiting", word: "Connecting", tone: "note", sentence: connectingBy(connection) }
    case "live":
      return { icon: "live", word: "Live", tone: "good", sentence: "Changes appear here as they happen." }
    case "degraded":
      return degraded(connection, mode)
    case "offline":
      return { icon: "trouble", word: "Offline", tone: "bad", sentence: sentenceOf(connection.reason) }
    case "stopped":
      return { icon: "stopped", word: "Stopped", tone: "bad", sentence: sentenceOf(connection.reason) }
    default:
      return connection satisfies never
  }
}

const SOURCES: Readonly<Record<string, string>> = { rejected: "Rejected", waiting: "Waiting", overdue: "Overdue" }

function troubled({ stale, source, reasons: [reason] }: NonNullable<Feed["status"]>): Situation {
  const broker = "the gateway has lost its broker (Redis): what is shown may be out of date"
  const word = stale ? "Stale" : (SOURCES[source?.state ?? ""] ?? "Degraded")
  return { icon: "trouble", word, tone: "warn", sentence: `Connected, but ${stale ? broker : reason}.` }
}

function connectingBy({ transport, attempt }: ConnectionState & { kind: "connecting" }): string {
  return `Connecting by ${TRANSPORTS[transport]}${attempt > 1 ? `, attempt ${attempt}` : ""}.`
}

function degraded({ transport, reason }: ConnectionState & { kind: "degraded" }, mode: Mode): Situation {
  if (!mode.live) {
    return { icon: "polling", word: `Every ${mode.everyS} s`, tone: "note", sentence: "Real-time is switched off." }
  }
  if (transport === "events") return { icon: "live", word: "Live", tone: "good", sentence: sentenceOf(reason) }
  return { icon: "polling", word: "Polling", tone: "warn", sentence: sentenceOf(reason) }
}

/** The transport that is in use, if one is. */
export function transportOf(connection: ConnectionState): string | null {
  return "transport" in connection ? TRANSPORTS[connection.transport] : null
}
