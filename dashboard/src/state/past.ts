/** The last reports from before this page was opened: their counts, for the sparklines, and what each changed. */

import { stepOf } from "./advance.ts"
import { changesBetween } from "./changes.ts"
import type { Gateway } from "./gateway.ts"
import { type Entry, readHistory } from "./history.ts"
import type { Json } from "./json.ts"
import { type AuditReport, isAudit, readReport } from "./report.ts"
import type { AuditStore } from "./store.ts"
import type { AuditView, Step } from "./view.ts"

/** Of so many reports the counts are shown, and what they changed where somebody wants to know. */
const REPORTS = 24
/** Of so many it is known without being asked for: each takes a whole report. */
const FEW = 6
/** Longer ones are not worth their bytes. */
const MAX_BODY = 100_000
const AT_A_TIME = 4

export interface Past {
  /** Have what more than the few last reports changed. */
  more(): void
  stop(): void
}

/** Ask for them when there is a report; what cannot be had is left out. */
export function recallPast(store: AuditStore, gateway: Gateway): Past {
  const abort = new AbortController()
  let entries: Promise<readonly Entry[]> | null = null
  let most = FEW
  const readSteps = async () => {
    const isSmall = (store.getView().body?.length ?? 0) <= MAX_BODY
    if (!entries || !isSmall) return
    const count = most
    const kept = (await entries).slice(-count)
    const steps = stepsOf(kept, await bodiesOf(kept, gateway, abort.signal))
    if (count === most) store.recall([], steps)
  }
  const begin = ({ report }: AuditView) => {
    if (entries || !report) return
    entries = readEntries(gateway, abort.signal)
    entries.then((found) => store.recall(found.filter(hasTime), []))
    readSteps()
  }
  const unsubscribe = store.subscribe(begin)
  return {
    more() {
      if (most === REPORTS) return
      most = REPORTS
      readSteps()
    },
    stop() {
      unsubscribe()
      abort.abort()
    },
  }
}

function hasTime({ at }: { at: number }): boolean {
  return !Number.isNaN(at)
}

/** Give the last reports, oldest first. */
async function readEntries(gateway: Gateway, signal: AbortSignal): Promise<readonly Entry[]> {
  const answer = await gateway.getJson("api/history", signal).catch(() => [])
  return readHistory(answer).slice(-REPORTS)
}

/** Give each report's parsed body, by its name. */
async function bodiesOf(entries: readonly Entry[], gateway: Gateway, signal: AbortSignal): Promise<Map<string, Json>> {
  const found = new Map<string, Json>()
  const left = entries.map(({ name }) => name)
  const read = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const value = await gateway.getJson(`audit/history/${encodeURIComponent(name)}`, signal).catch(() => null)
      found.set(name, value as Json)
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, read))
  return found
}

/** Give what each report changed, newest first. Of one that comes after a gap that is not known. */
function stepsOf(entries: readonly Entry[], bodies: ReadonlyMap<string, Json>): Step[] {
  const steps: Step[] = []
  let before: AuditReport | null = null
  for (const { name, at } of entries) {
    const value: Json = bodies.get(name) ?? null
    const report: AuditReport | null = isAudit(value) ? readReport(value, before, Number.NaN) : null
    const changes = before && report ? changesBetween(before, report) : []
    if (changes.length && hasTime({ at })) steps.unshift(stepOf(at, name, changes))
    before = report
  }
  return steps
}
