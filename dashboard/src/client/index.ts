/** What keeps one channel followed. Only its types so far: the core comes by a branch of its own. */

import type { Follower, FrameOf } from "../protocol/index.ts"

export type TransportName = "websocket" | "events" | "poll"

export type ConnectionState =
  | { kind: "idle" }
  | { kind: "connecting"; transport: TransportName; attempt: number; since: number }
  | { kind: "live"; transport: "websocket"; since: number }
  | { kind: "degraded"; transport: "events" | "poll"; since: number; reason: string }
  | { kind: "offline"; since: number; reason: string; attempt: number; retryAt: number | null }
  | {
      kind: "stopped"
      code: "unauthorized" | "forbidden" | "not_served" | "refused" | "closed" | "too_large"
      reason: string
    }

export interface Feed {
  readonly connection: ConnectionState
  readonly follower: Follower
  readonly status: FrameOf<"status"> | null
  readonly hello: FrameOf<"hello"> | null
  readonly receivedAt: number | null
  readonly sharing: "alone" | "leader" | "follower"
}

export type Mode = { live: true } | { live: false; everyS: number }

export type ClientEvent =
  | { type: "connection" }
  | { type: "report"; frame: FrameOf<"snapshot" | "delta"> }
  | { type: "status" }

export interface Client {
  getFeed(): Feed
  subscribe(listener: (feed: Feed, event: ClientEvent) => void): () => void
  start(): void
  stop(): void
  tryNow(): void
  refresh(): void
  setMode(mode: Mode): void
  diagnostics(): readonly string[]
}
export { connect } from "./stopgap.ts"
