/**
 * How long a change took until it was to be seen: told to the gateway for a share of the changes.
 *
 * Source: docs/protocol.md, Latency.
 */

import type { Gateway } from "./gateway.ts"
import type { AuditStore } from "./store.ts"
import type { AuditView } from "./view.ts"

export interface Latency {
  /** From the file's change to the paint, in ms. */
  readonly totalMs: number
  readonly deliverMs: number
  readonly paintMs: number
  readonly offset: number
}

export interface Latencies {
  get(): Latency | null
  /** The last of them, by epoch and offset, oldest first. */
  recent(): ReadonlyMap<string, Latency>
  subscribe(listener: () => void): () => void
}

/** As many changes as the gateway remembers. */
const REMEMBERED = 100

/** Measure what comes to `store` from now on. `afterPaint` calls back once the next frame is on the screen. */
export function measurePaints(
  store: AuditStore,
  { gateway, share, random = Math.random, afterPaint = nextPaint }: Measuring,
): Latencies {
  let last: Latency | null = null
  let recent: ReadonlyMap<string, Latency> = new Map()
  const listeners = new Set<() => void>()
  let shown = store.getView()
  store.subscribe((view) => {
    // What was there before this page was opened was not painted late.
    const isChange = view.epoch === shown.epoch && view.offset === (shown.offset ?? Number.NaN) + 1
    shown = view
    if (!isChange || !view.hopsMs || document.hidden) return
    afterPaint((at) => {
      const latency = latencyOf(view, at)
      if (!latency) return
      last = latency
      recent = new Map([...recent, [`${view.epoch}:${latency.offset}`, latency] as const].slice(-REMEMBERED))
      for (const listener of listeners) listener()
      if (random() < share()) tell(gateway, view, latency)
    })
  })
  return {
    get: () => last,
    recent: () => recent,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

interface Measuring {
  gateway: Gateway
  /** `paint_sample` of the present connection. */
  share: () => number
  random?: () => number
  afterPaint?: (done: (at: number) => void) => void
}

/** A message that is posted in a frame's callback is delivered after its paint. */
function nextPaint(done: (at: number) => void): void {
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      done(Date.now())
    }
    port2.postMessage(null)
  })
}

function latencyOf({ modifiedAt, receivedAt, hopsMs, serverAhead, offset }: AuditView, at: number): Latency | null {
  if (modifiedAt === null || receivedAt === null || offset === null) return null
  const atGateway = modifiedAt + Object.values(hopsMs ?? {}).reduce((sum, ms) => sum + ms, 0)
  const deliverMs = Math.max(0, receivedAt + serverAhead - atGateway)
  const paintMs = Math.max(0, at - receivedAt)
  return { totalMs: Math.max(0, at + serverAhead - modifiedAt), deliverMs, paintMs, offset }
}

function tell(gateway: Gateway, { channel, epoch, offset }: AuditView, { deliverMs, paintMs }: Latency): void {
  gateway.post("api/trace/painted", { channel, epoch, offset, deliverMs, paintMs })
}
