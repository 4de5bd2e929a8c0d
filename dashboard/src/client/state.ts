/** How a connection stands, and what is known of the channel that it follows. */

import { type Follower, type Frame, type FrameOf, follow } from "../protocol/index.ts"

/** How frames travel; what is best comes first. */
export const TRANSPORTS = ["websocket", "events", "poll"] as const
export type TransportName = (typeof TRANSPORTS)[number]

/** Why a client does not come back by itself. */
export type StopCode = "unauthorized" | "forbidden" | "not_served" | "refused" | "closed" | "too_large"

/**
 * How the connection stands; times are ms since 1970, reasons are sentences for people.
 *
 * - `idle`: nobody has started it.
 * - `connecting`: an attempt is under way; `since` the last connection was lost, if there was one.
 * - `live`: changes come as they happen.
 * - `degraded`: they come by a worse way; or, with real-time off, when they are asked for.
 * - `offline`: the last attempt failed, as others may have `since` then; the next one is at `retryAt`, or once the browser has a network (`null`).
 * - `stopped`: to come back would end the same way.
 */
export type ConnectionState =
  | { readonly kind: "idle" }
  | { readonly kind: "connecting"; readonly transport: TransportName; readonly attempt: number; readonly since: number }
  | { readonly kind: "live"; readonly transport: "websocket"; readonly since: number }
  | {
      readonly kind: "degraded"
      readonly transport: "events" | "poll"
      readonly since: number
      readonly reason: string
    }
  | {
      readonly kind: "offline"
      readonly since: number
      readonly reason: string
      readonly attempt: number
      readonly retryAt: number | null
    }
  | { readonly kind: "stopped"; readonly code: StopCode; readonly reason: string }

/** Whether this tab holds the browser's one connection, or is told by the tab that does. */
export type Sharing = "alone" | "leader" | "follower"

/** All that is known; another object whenever something of it changed. */
export interface Feed {
  readonly connection: ConnectionState
  readonly follower: Follower
  /** How the feed fares, by the gateway. */
  readonly status: FrameOf<"status"> | null
  readonly hello: FrameOf<"hello"> | null
  /** When the present report came. */
  readonly receivedAt: number | null
  readonly sharing: Sharing
}

/**
 * What happened: the connection stands otherwise; a report or a status came, or something that changes neither; or it is
 * known whether the report has the digest that was told.
 */
export type ClientEvent =
  | { readonly type: "connection" | "verified" }
  | { readonly type: "frame"; readonly frame: Frame }

/** As changes happen, or asked for at an interval. */
export type Mode = { readonly live: true } | { readonly live: false; readonly everyS: number }

/** Where to follow what, and by which right. */
export interface Where {
  /** Of the gateway, with a slash at its end. */
  readonly url: string
  /** `undefined`: the first that is served. */
  readonly channel: string | undefined
  readonly token: string | undefined
}

/** Nothing is known yet. */
export function nothing(channel = ""): Feed {
  return {
    connection: { kind: "idle" },
    follower: follow(channel),
    status: null,
    hello: null,
    receivedAt: null,
    sharing: "alone",
  }
}
