/** How a view changes by what a feed has. Pure: times come in as arguments. */

import type { Feed } from "../client/index.ts"
import type { FrameOf, Report } from "../protocol/index.ts"
import { changesBetween, type RepoChange, trimmed } from "./changes.ts"
import { applyRepos } from "./delta.ts"
import { isObject, isText, type Json } from "./json.ts"
import { type AuditReport, isAudit, readReport } from "./report.ts"
import type { AuditView, Point, Source, Step } from "./view.ts"
import { sentenceOf } from "./words.ts"

const MAX_LOG = 200
/** Of all steps together: all repositories of a report may have changed in each. */
const MAX_CHANGES = 20_000
const MAX_TRAIL = 240

const WRONG = "The report that came is not what its digest says; it is asked for again."

/** Give the view with the feed's connection and status in it; the report is `withReport`'s. */
export function withFeed(view: AuditView, { connection, status, follower }: Feed): AuditView {
  const isWrong = follower.report?.verified === false
  const staleReason = isWrong ? WRONG : staleReasonOf(connection, status)
  const source = sourceOf(status)
  return {
    ...view,
    stale: staleReason !== null,
    staleReason,
    source: same(source, view.source) ? view.source : source,
    reasons: status?.reasons ?? view.reasons,
  }
}

function staleReasonOf(connection: Feed["connection"], status: FrameOf<"status"> | null): string | null {
  switch (connection.kind) {
    case "live":
    case "degraded":
      return status?.stale ? "The gateway has lost its broker (Redis); what is shown may be out of date." : null
    case "idle":
    case "connecting":
      return "Connecting; what is shown is the last that came."
    case "offline":
    case "stopped":
      return sentenceOf(connection.reason)
    default:
      connection satisfies never
      return null
  }
}

function sourceOf(status: FrameOf<"status"> | null): Source | null {
  const told: unknown = status?.source
  if (!isObject(told)) return null
  const time = (value: Json | undefined) => (isText(value) ? timeOf(value) : null)
  return {
    state: isText(told.state) ? told.state : null,
    reason: isText(told.reason) ? told.reason : null,
    since: time(told.since),
    dueAt: time(told.due_at),
  }
}

function same(a: Source | null, b: Source | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function timeOf(text: string): number | null {
  const time = Date.parse(text)
  return Number.isNaN(time) ? null : time
}

/** Give the view with this report in it. */
export function withReport(view: AuditView, { frame, body }: Report, digest: string | null, now: number): AuditView {
  const told = {
    channel: frame.channel,
    body,
    name: frame.name,
    epoch: frame.epoch,
    offset: frame.offset,
    modifiedAt: timeOf(frame.modified_at),
    publishedAt: timeOf(frame.published_at),
    receivedAt: now,
    findings: frame.findings,
    hopsMs: frame.hops_ms ?? null,
  }
  const read = readBody(view.report, frame, body, digest, now)
  if (!read.report) return { ...view, ...told, report: null, previous: null, generic: read.generic, changes: [] }
  return { ...view, ...told, generic: undefined, ...stepTo(view, read.report, frame, now) }
}

function readBody(
  before: AuditReport | null,
  frame: Report["frame"],
  body: string,
  digest: string | null,
  now: number,
): { report: AuditReport } | { report: null; generic: Json } {
  const delta = frame.type === "delta" ? (frame as FrameOf<"delta">) : null
  if (before && delta?.base === digest) {
    const report = applyRepos(before, delta.changes, now)
    if (report) return { report }
  }
  const value: Json = JSON.parse(body)
  return isAudit(value) ? { report: readReport(value, before, now) } : { report: null, generic: value }
}

function stepTo(view: AuditView, report: AuditReport, frame: Report["frame"], now: number) {
  const isNext = view.epoch === frame.epoch && view.offset === frame.offset - 1
  const changes = view.report ? changesBetween(view.report, report) : []
  return {
    report,
    previous: isNext ? view.report : null,
    changes,
    log: changes.length ? logOf([stepOf(now, idOf(frame), changes), ...view.log]) : view.log,
    trail: trailAfter(view.trail, { at: atOf(report, now), counts: Object.fromEntries(report.counts) }),
  }
}

/** What a report's position is called by: its name and its time may be another's, too. */
export function idOf({ epoch, offset }: { epoch: string | null; offset: number }): string {
  return `${epoch}:${offset}`
}

/** Give a step to be kept: with what is different alone, for a repository may be of kilobytes. */
export function stepOf(at: number, id: string, changes: readonly RepoChange[]): Step {
  return { at, id, changes: changes.slice(0, MAX_CHANGES).map(trimmed) }
}

/** Give as many of the steps, newest first, as are kept. */
export function logOf(steps: readonly Step[]): readonly Step[] {
  let left = MAX_CHANGES
  const end = steps.findIndex(({ changes }) => {
    left -= changes.length
    return left < 0
  })
  return steps.slice(0, end < 0 ? MAX_LOG : Math.min(MAX_LOG, end))
}

function atOf(report: AuditReport, now: number): number {
  return Number.isNaN(report.reportedAt) ? now : report.reportedAt
}

/** Points as they were published, whatever they are dated; one that says a report again takes its place. */
export function trailAfter(trail: readonly Point[], ...points: readonly Point[]): Point[] {
  const byTime = new Map<number, Point>()
  for (const point of [...trail, ...points]) {
    byTime.delete(point.at) // or it would stay where it was
    byTime.set(point.at, point)
  }
  return Array.from(byTime.values()).slice(-MAX_TRAIL)
}
