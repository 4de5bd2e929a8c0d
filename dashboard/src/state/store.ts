/** The store: what a client's feed comes to, for whoever shows it. Nothing is cleared when a connection is lost. */

import type { Client, ClientEvent, Feed } from "../client/index.ts"
import { logOf, trailAfter, withFeed, withReport } from "./advance.ts"
import { changesBetween, type RepoChange } from "./changes.ts"
import type { Json } from "./json.ts"
import { type AuditReport, isAudit, readReport } from "./report.ts"
import { makeServerTime } from "./server-time.ts"
import { type AuditView, NOTHING, type Point, type Recalled } from "./view.ts"

export interface AuditStore {
  getView(): AuditView
  subscribe(listener: (view: AuditView, changes: readonly RepoChange[]) => void): () => void
  /** The server said what time it is, in answer to a question that took so long. */
  tellTime(timestamp: string, tookMs: number): void
  /** The person has looked: from now on changes are those from the present report. */
  markSeen(): void
  /** What the person looked at before this page was opened (`null`: the present report), and when. */
  resumeSeen(value: Json | null, at: number): void
  /** Counts of reports from before this page was opened, and what each of them changed. */
  recall(points: readonly Point[], past: Recalled): void
}

const NONE: readonly RepoChange[] = []

export function makeStore(client: Client, clock: () => number = Date.now): AuditStore {
  let view = NOTHING
  let seen: AuditReport | null = null
  let digest: string | null = null
  const time = makeServerTime()
  const listeners = new Set<(view: AuditView, changes: readonly RepoChange[]) => void>()

  function show(next: AuditView, changes = NONE): void {
    view = next
    for (const listener of listeners) listener(view, changes)
  }

  function since(report: AuditReport | null): Pick<AuditView, "unseen" | "seenCounts"> {
    if (!seen || !report) return { unseen: NONE, seenCounts: [] }
    return { unseen: changesBetween(seen, report), seenCounts: seen.counts }
  }

  function take(feed: Feed, event?: ClientEvent): void {
    const { report } = feed.follower
    const isNew = report !== null && report.frame.digest + report.frame.epoch + report.frame.offset !== digestOf()
    if (event?.type === "frame" && event.frame.type === "hello") time.tell(event.frame.timestamp, clock())
    let next = withFeed({ ...view, serverAhead: time.ahead }, feed)
    if (!isNew || !report) show(next)
    else {
      next = withReport(next, report, digest, clock())
      digest = report.frame.digest
      if (!seen && next.report) seen = next.report // nobody looked at one before
      show({ ...next, ...since(next.report) }, next.changes)
    }
  }

  function digestOf(): string {
    return `${digest}${view.epoch}${view.offset}`
  }

  client.subscribe(take)
  take(client.getFeed())
  return {
    getView: () => view,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    tellTime(timestamp, tookMs) {
      time.tell(timestamp, clock(), tookMs)
      show({ ...view, serverAhead: time.ahead })
    },
    markSeen() {
      seen = view.report
      show({ ...view, ...since(view.report), seenAt: clock() })
    },
    resumeSeen(value, at) {
      if (value !== null && !isAudit(value)) return
      // Read onto the present one, so that what is the same is the same object.
      seen = value === null ? view.report : readReport(value, view.report, at)
      show({ ...view, ...since(view.report), seenAt: at })
    },
    recall(points, past) {
      const known = new Set(view.log.map(({ id }) => id))
      const steps = logOf(past.steps.filter(({ id }) => !known.has(id)))
      show({ ...view, trail: trailAfter(points, ...view.trail), past: { ...past, steps } })
    },
  }
}
