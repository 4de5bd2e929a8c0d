/** An audit report as the page shows it. What did not change from one report to the next is the same object. */

import { isObject, isText, type Json, type JsonObject, same } from "./json.ts"
import { readTime } from "./report-time.ts"

export interface Repo {
  /** Unique in the report, and the same from one report to the next: two repositories may have one name. */
  readonly key: string
  readonly name: string
  readonly status: string
  /** As it stands in the report. */
  readonly fields: JsonObject
  /** When this page saw it change last, in ms; `null` if it did not. */
  readonly changedAt: number | null
}

export type Count = readonly [name: string, value: number]

export interface AuditReport {
  readonly timestamp: string
  /** The timestamp in ms; NaN where it is no date. */
  readonly reportedAt: number
  /** `health_status`, if it is told. */
  readonly health: string | null
  readonly counts: readonly Count[]
  readonly repos: readonly Repo[]
  /** The same array for as long as the same repositories stand in the same order. */
  readonly keys: readonly string[]
  /** The report without its repos. */
  readonly rest: JsonObject
}

export const STATUSES = ["clean", "dirty", "missing", "extra", "mismatched"] as const
const COUNTS = ["total", ...STATUSES]

export function statusOf(fields: JsonObject): string {
  if (typeof fields.status === "string") return fields.status
  return fields.uncommittedChanges ? "dirty" : "clean"
}

/** Whether a parsed report is an audit report. */
export function isAudit(value: Json): value is JsonObject {
  if (!isObject(value) || typeof value.timestamp !== "string" || !Array.isArray(value.repos)) return false
  if (value.summary !== undefined && !isObject(value.summary)) return false
  return value.repos.every((repo) => isObject(repo) && typeof repo.name === "string")
}

/**
 * Give the report that a parsed value is, made of as much of the one before as still holds.
 *
 * @param now When it came, in ms: that is when what is new in it changed.
 */
export function readReport(value: JsonObject, before: AuditReport | null, now: number): AuditReport {
  const { repos, ...rest } = value
  return makeReport(rest, numbered(repos as readonly JsonObject[], before, now), before)
}

function numbered(repos: readonly JsonObject[], before: AuditReport | null, now: number): Repo[] {
  const known = new Map(before?.repos.map((repo) => [repo.key, repo]))
  const keyOf = keys()
  return repos.map((fields) => {
    const key = keyOf(fields.name as string)
    const old = known.get(key)
    return old && same(old.fields, fields) ? old : makeRepo(key, fields, before ? now : null)
  })
}

/** Give a function that gives each repository its key, in their order. */
export function keys(): (name: string) => string {
  const times = new Map<string, number>()
  return (name) => {
    const nth = (times.get(name) ?? 0) + 1
    times.set(name, nth)
    return keyFor(name, nth)
  }
}

/** The key of the `nth` repository of that name. */
export function keyFor(name: string, nth = 1): string {
  return `${nth} ${name}`
}

/** What a key is made of. */
export function partsOf(key: string): [nth: number, name: string] {
  const space = key.indexOf(" ")
  return [Number(key.slice(0, space)), key.slice(space + 1)]
}

export function makeRepo(key: string, fields: JsonObject, changedAt: number | null): Repo {
  return { key, name: fields.name as string, status: statusOf(fields), fields, changedAt }
}

/** @param changed Whether repositories may have come, gone or moved. */
export function makeReport(
  rest: JsonObject,
  repos: readonly Repo[],
  before: AuditReport | null,
  changed = true,
): AuditReport {
  const isSame = before && (!changed || isSameOrder(before.keys, repos))
  const timestamp = isText(rest.timestamp) ? rest.timestamp : ""
  return {
    timestamp,
    reportedAt: readTime(timestamp),
    health: isText(rest.health_status) ? rest.health_status : null,
    counts: countsOf(rest.summary, repos),
    repos,
    keys: isSame ? before.keys : repos.map((repo) => repo.key),
    rest,
  }
}

function isSameOrder(order: readonly string[], repos: readonly Repo[]): boolean {
  return order.length === repos.length && repos.every((repo, at) => repo.key === order[at])
}

/** The counts to show: the summary's own, or those of the repos when there is no summary. */
function countsOf(summary: Json | undefined, repos: readonly Repo[]): Count[] {
  if (isObject(summary)) {
    return COUNTS.flatMap((name): Count[] => {
      const value = summary[name]
      return typeof value === "number" ? [[name, value]] : []
    })
  }
  const counts = new Map([
    ["total", repos.length],
    ["clean", 0],
    ["dirty", 0],
  ])
  for (const { status } of repos) counts.set(status, (counts.get(status) ?? 0) + 1)
  return COUNTS.filter((name) => counts.has(name)).map((name) => [name, counts.get(name) ?? 0])
}
