/** A client that is told what to have, in place of one with a gateway. */

import type { Client, ClientEvent, ConnectionState, Feed, Mode } from "../../src/client/index.ts"
import { follow, parseFrame, reduce } from "../../src/protocol/index.ts"

export const LIVE: ConnectionState = { kind: "live", transport: "websocket", since: 0 }

export class FakeClient implements Client {
  feed: Feed = {
    connection: { kind: "connecting", transport: "websocket", attempt: 1, since: 0 },
    follower: follow("audit"),
    status: null,
    hello: null,
    receivedAt: null,
    sharing: "alone",
  }
  readonly asked: string[] = []
  mode: Mode = { live: true }
  #offset = 0
  #digest = ""
  #listeners = new Set<(feed: Feed, event: ClientEvent) => void>()

  getFeed = () => this.feed
  subscribe = (listener: (feed: Feed, event: ClientEvent) => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
  start = () => undefined
  stop = () => undefined
  tryNow = () => this.asked.push("try now") && undefined
  refresh = () => this.asked.push("refresh") && undefined
  setMode = (mode: Mode) => {
    this.mode = mode
  }
  diagnostics = () => ["12:00:00 opened"]

  become(connection: ConnectionState): void {
    this.#show({ connection }, { type: "connection" })
  }

  verified(verified: boolean): void {
    const { follower } = this.feed
    if (follower.report)
      this.#show({ follower: { ...follower, report: { ...follower.report, verified } } }, { type: "verified" })
  }

  status(source: unknown, { stale = false, reasons = [] as string[] } = {}): void {
    const told = { channel: "audit", stale, broker: { connected: !stale }, source, reasons, timestamp: now() }
    this.#receive({ type: "status", ...told })
  }

  /** @param more Of the frame: another place than after the one before, or its hops. */
  snapshot(data: unknown, findings: unknown[] = [], more: object = {}): void {
    const frame = { type: "snapshot", ...this.#published(), ...more, findings, data }
    this.#receive(frame)
  }

  delta(changes: unknown): void {
    const base = this.#digest
    this.#receive({ type: "delta", ...this.#published(), findings: [], base, changes })
  }

  /** What a gateway says of each report; a digest is compared, never computed, by a reducer. */
  #published() {
    this.#digest = `digest ${++this.#offset}`
    return {
      channel: "audit",
      epoch: "1b65fea20ca22296",
      offset: this.#offset,
      name: `${this.#offset}.json`,
      digest: this.#digest,
      published_at: now(),
      modified_at: now(),
    }
  }

  #receive(written: unknown): void {
    const frame = parseFrame(JSON.stringify(written))
    if (frame.type === "malformed" || frame.type === "unknown") throw new Error(JSON.stringify(frame))
    const [follower] = reduce(this.feed.follower, frame)
    const change = { follower, receivedAt: Date.now(), ...(frame.type === "status" && { status: frame }) }
    this.#show(change, { type: "frame", frame })
  }

  #show(change: Partial<Feed>, event: ClientEvent): void {
    this.feed = { ...this.feed, ...change }
    for (const listener of this.#listeners) listener(this.feed, event)
  }
}

function now(): string {
  return new Date().toISOString()
}

/** An audit report of these names and states. */
export function audit(states: Readonly<Record<string, string>>, more: object = {}) {
  const repos = Object.entries(states).map(([name, status]) => ({ name, status, local_path: `/srv/${name}` }))
  return { timestamp: "2026-11-23T12:00:00Z", health_status: "green", repos, ...more }
}
