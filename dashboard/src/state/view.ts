/** What the page knows of one channel: an immutable snapshot of the store. */

import type { Finding } from "../protocol/index.ts"
import type { RepoChange } from "./changes.ts"
import type { Json } from "./json.ts"
import type { AuditReport, Count } from "./report.ts"

/** How the report's file fares, by its watcher. */
export interface Source {
  readonly state: string | null
  readonly reason: string | null
  /** ms; since when that is so, and when the next report was due (while overdue). */
  readonly since: number | null
  readonly dueAt: number | null
}

/** The changes that one report brought. */
export interface Step {
  readonly at: number
  /** The report's position: no other report has it. */
  readonly id: string
  readonly changes: readonly RepoChange[]
}

/** What the reports from before this page was opened changed. */
export interface Recalled {
  /** By the report's own time. */
  readonly steps: readonly Step[]
  /** How many reports were compared; `null` while that is not known, or not of all that should be. */
  readonly reports: number | null
  /** Why not, once it was tried. */
  readonly reason: string | null
}

export const UNREAD: Recalled = { steps: [], reports: null, reason: null }

export interface AuditView {
  /** The feed's, once something came of it. */
  readonly channel: string | null
  /** The present report, if it is an audit report, and the one before it, if that was shown. */
  readonly report: AuditReport | null
  readonly previous: AuditReport | null
  /** The present report, if it is another; `undefined` if it is an audit report or there is none. */
  readonly generic: Json | undefined
  /** Its text, as it came; `null` before the first. */
  readonly body: string | null
  /** Its name in the history, and its position. */
  readonly name: string | null
  readonly epoch: string | null
  readonly offset: number | null
  /** What the last report changed, and the newest reports that changed something, newest first. */
  readonly changes: readonly RepoChange[]
  readonly log: readonly Step[]
  readonly past: Recalled
  /** What is different from what the person looked at, and when that was, in ms. */
  readonly unseen: readonly RepoChange[]
  readonly seenCounts: readonly Count[]
  readonly seenAt: number | null
  /** The counts of each report that was shown, oldest first. */
  readonly trail: readonly Point[]
  /** Whether what is shown may be out of date, and why, in a sentence. */
  readonly stale: boolean
  readonly staleReason: string | null
  /** ms, by the server's clock. */
  readonly modifiedAt: number | null
  readonly publishedAt: number | null
  /** ms, by this machine's clock. */
  readonly receivedAt: number | null
  /** How much the server's clock is ahead of this machine's, in ms. */
  readonly serverAhead: number
  readonly source: Source | null
  readonly reasons: readonly string[]
  readonly findings: readonly Finding[]
  readonly hopsMs: Readonly<Record<string, number>> | null
}

export interface Point {
  readonly at: number
  readonly counts: Readonly<Record<string, number>>
}

export const NOTHING: AuditView = {
  channel: null,
  report: null,
  previous: null,
  generic: undefined,
  body: null,
  name: null,
  epoch: null,
  offset: null,
  changes: [],
  log: [],
  past: UNREAD,
  unseen: [],
  seenCounts: [],
  seenAt: null,
  trail: [],
  stale: false,
  staleReason: null,
  modifiedAt: null,
  publishedAt: null,
  receivedAt: null,
  serverAhead: 0,
  source: null,
  reasons: [],
  findings: [],
  hopsMs: null,
}

/** From when the data is: the report's own time, unless none can be read, or the file is older than it says. */
export function dataAt({ report, modifiedAt }: AuditView): number | null {
  const reportedAt = report?.reportedAt ?? Number.NaN
  if (Number.isNaN(reportedAt)) return modifiedAt
  return modifiedAt === null ? reportedAt : Math.min(reportedAt, modifiedAt)
}
