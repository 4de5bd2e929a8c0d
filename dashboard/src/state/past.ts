/** The last reports from before this page was opened: their counts, for the sparklines, and what each changed. */

import { idOf, stepOf } from "./advance.ts"
import { makeAsker } from "./asker.ts"
import { changesBetween } from "./changes.ts"
import { AnswerError, type Gateway, pathOfReport, sentenceOf } from "./gateway.ts"
import { type Entry, readHistory } from "./history.ts"
import type { Json } from "./json.ts"
import { type AuditReport, isAudit, readReport } from "./report.ts"
import type { AuditStore } from "./store.ts"
import { type AuditView, type Recalled, type Step, UNREAD } from "./view.ts"

/** Of so many reports the counts are shown, and what they changed where somebody wants to know. */
const REPORTS = 24
/** Of so many it is known without being asked for: each takes a whole report. */
const FEW = 6
/** In characters, of each: of longer ones fewer are read. */
const MAX_BODY = 100_000
const TOO_LONG = "reports as long as these are not read for it"
const AT_A_TIME = 4
const PAUSE_MS = 1_000

export interface Past {
  /** Have what more than the few last reports changed. */
  more(): void
  stop(): void
}

/** Ask for them when there is a report; what cannot be had is asked for again when it may be had. */
export function recallPast(store: AuditStore, gateway: Gateway): Past {
  const bodies = new Map<string, Json>()
  let entries: readonly Entry[] | null = null
  let most = FEW
  let askedAt: string | null = null

  async function read(signal: AbortSignal): Promise<Recalled> {
    entries ??= readHistory(await gateway.getJson("api/history", signal)).slice(-REPORTS)
    store.recall(entries.filter(hasTime), store.getView().past)
    if (entries.length < 2) return { ...UNREAD, reports: entries.length }
    const count = Math.min(most, Math.floor((most * MAX_BODY) / (store.getView().body?.length || 1)))
    if (count < 2) return { ...UNREAD, reason: TOO_LONG }
    const last = entries.slice(-count)
    const error = await readBodies(last, bodies, gateway, signal)
    const steps = stepsOf(last, bodies)
    return error ? { steps, reports: null, reason: sentenceOf(error) } : { steps, reports: last.length, reason: null }
  }

  const asker = makeAsker(async (signal) => {
    const wanted = most
    const past = await read(signal).catch((error: unknown) => ({ ...store.getView().past, reason: sentenceOf(error) }))
    if (signal.aborted) return false
    store.recall([], past)
    if (past.reason === null && wanted === REPORTS) bodies.clear()
    return past.reason === null || past.reason === TOO_LONG
  }, PAUSE_MS)

  const unsubscribe = store.subscribe(({ report, epoch, offset, stale, past }: AuditView) => {
    const now = `${epoch} ${offset} ${stale}`
    if (!report || now === askedAt || past.reports !== null) return
    askedAt = now
    asker.ask()
  })
  return {
    more() {
      if (most === REPORTS) return
      most = REPORTS
      if (askedAt !== null) asker.ask()
    },
    stop() {
      unsubscribe()
      asker.stop()
    },
  }
}

function hasTime({ at }: { at: number }): boolean {
  return !Number.isNaN(at)
}

/**
 * Add to `bodies` each report's parsed body, by its position, unless it is there; `null` of one that is not kept any more.
 *
 * @returns Why not all of them could be had, if so.
 */
async function readBodies(
  entries: readonly Entry[],
  bodies: Map<string, Json>,
  gateway: Gateway,
  signal: AbortSignal,
): Promise<unknown> {
  let failure: unknown = null
  const left = entries.filter((entry) => !bodies.has(idOf(entry)))
  const read = async () => {
    for (let entry = left.shift(); entry !== undefined; entry = left.shift()) {
      try {
        bodies.set(idOf(entry), (await gateway.getJson(pathOfReport(entry.name), signal)) as Json)
      } catch (error) {
        if (error instanceof AnswerError && error.status === 404) bodies.set(idOf(entry), null)
        else {
          failure = error
          left.length = 0 // the others would fare no better
        }
      }
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, read))
  return failure
}

/** Give what each report changed, newest first. Of one that comes after a gap that is not known. */
function stepsOf(entries: readonly Entry[], bodies: ReadonlyMap<string, Json>): Step[] {
  const steps: Step[] = []
  let before: AuditReport | null = null
  for (const entry of entries) {
    const value: Json = bodies.get(idOf(entry)) ?? null
    const report: AuditReport | null = isAudit(value) ? readReport(value, before, Number.NaN) : null
    const changes = before && report ? changesBetween(before, report) : []
    if (changes.length && hasTime(entry)) steps.unshift(stepOf(entry.at, idOf(entry), changes))
    before = report
  }
  return steps
}

/** Say why there is no change to be shown: none is known, or that is not known. */
export function absenceIn({ reports, reason }: Recalled, nothing: string): string {
  if (reason !== null) return `What changed before is not known: ${reason}.`
  if (reports === null) return "Reading the last reports…"
  return reports < 2 ? "There is no report before this one." : `${nothing} in the last ${reports} reports.`
}
