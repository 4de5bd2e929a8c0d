/** The kept reports of a channel, in brief: when each was, its health, its counts. Pure. */

import { isObject, isText, type Json } from "./json.ts"
import { type Count, STATUSES } from "./report.ts"
import { readTime } from "./report-time.ts"
import type { AuditView } from "./view.ts"
import { dateOf } from "./words.ts"

export interface Entry {
  readonly name: string
  /** Its position; names come again. */
  readonly epoch: string | null
  readonly offset: number
  /** By its own words, or else when its file was written, in ms; NaN if neither is known. */
  readonly at: number
  /** Its place on the axis of time: `at`, or that of the entry before where that would lead backwards. */
  readonly x: number
  readonly health: string | null
  readonly counts: Readonly<Record<string, number>>
}

export const COUNTS = ["total", ...STATUSES] as const

/** As many are listed; a gateway that keeps more is asked for no more pixels than there are. */
const MAX_ENTRIES = 2_000

/** Read what `/api/history` answers, which is newest first. Give the entries oldest first. */
export function readHistory(answer: unknown): Entry[] {
  const items: readonly unknown[] = Array.isArray(answer) ? answer : []
  return placed(
    items
      .slice(0, MAX_ENTRIES)
      .flatMap((item) => entryOf(item) ?? [])
      .reverse(),
  )
}

function entryOf(item: unknown): Entry | null {
  if (!isObject(item) || !isText(item.name)) return null
  const at = [item.timestamp, item.modifiedAt].map(timeOf).find((time) => !Number.isNaN(time)) ?? Number.NaN
  const health = isText(item.health) ? item.health : null
  const epoch = isText(item.epoch) ? item.epoch : null
  const offset = typeof item.offset === "number" ? item.offset : 0
  return { name: item.name, epoch, offset, at, x: at, health, counts: countsOf(item.summary) }
}

function timeOf(text: Json | undefined): number {
  return isText(text) ? readTime(text) : Number.NaN
}

function countsOf(summary: Json | undefined): Record<string, number> {
  if (!isObject(summary)) return {}
  const told = COUNTS.map((name): Count => [name, Number(summary[name] ?? Number.NaN)])
  return Object.fromEntries(told.filter(([, value]) => Number.isFinite(value)))
}

/**
 * Put entries behind one another, as they were published.
 *
 * Most are dated in that order; one that is not (a restored backup, a clock that was wrong) stands where the one before
 * it does, and moves no other.
 */
export function placed(entries: readonly Entry[]): Entry[] {
  const kept = inOrder(entries.map(({ at }) => at))
  let last = entries.find((_, place) => kept.has(place))?.at ?? 0
  return entries.map((entry, place) => {
    if (kept.has(place)) last = entry.at
    return entry.x === last ? entry : { ...entry, x: last }
  })
}

/** Give the places of as many times as possible that do not go backwards. */
function inOrder(times: readonly number[]): Set<number> {
  const ends: number[] = [] // of each length, the place where such a run ends earliest
  const before: number[] = []
  for (const [place, time] of times.entries()) {
    if (Number.isNaN(time)) continue
    let [low, high] = [0, ends.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((times[ends[middle] as number] as number) <= time) low = middle + 1
      else high = middle
    }
    before[place] = ends[low - 1] ?? -1
    ends[low] = place
  }
  const kept = new Set<number>()
  for (let place = ends.at(-1) ?? -1; place >= 0; place = before[place] ?? -1) kept.add(place)
  return kept
}

/** Give the reports that were shown, and the one that a view shows, which is the last: another epoch begins anew. */
export function withShown(shown: readonly Entry[], view: AuditView): readonly Entry[] {
  const { name, epoch, offset, report, modifiedAt } = view
  const ofEpoch = shown.filter((entry) => entry.epoch === epoch)
  if (!report || name === null || offset === null) return shown
  if (ofEpoch.some((entry) => entry.offset >= offset)) return shown
  const at = Number.isNaN(report.reportedAt) ? (modifiedAt ?? Number.NaN) : report.reportedAt
  const entry = { name, epoch, offset, at, x: at, health: report.health, counts: Object.fromEntries(report.counts) }
  return [...ofEpoch, entry].slice(-MAX_ENTRIES)
}

/** Give what was listed, and what was shown since. */
export function joined(listed: readonly Entry[], shown: readonly Entry[]): readonly Entry[] {
  const epoch = shown.at(-1)?.epoch
  const last = listed.findLast((entry) => entry.epoch === epoch)?.offset ?? -1
  return placed([...listed, ...shown.filter(({ offset }) => offset > last)])
}

/** Give which counts any of the entries tells. */
export function countsIn(entries: readonly Entry[]): string[] {
  return COUNTS.filter((name) => entries.some(({ counts }) => Object.hasOwn(counts, name)))
}

/** When a report was, for people. */
export function whenOf({ at, name }: Entry): string {
  return Number.isNaN(at) ? name : dateOf(at)
}
