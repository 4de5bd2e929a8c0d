/** The last reports from before this page was opened: their counts, for the sparklines, and what each changed. */

import { stepOf } from "./advance.ts"
import { changesBetween } from "./changes.ts"
import type { Gateway } from "./gateway.ts"
import type { Json } from "./json.ts"
import { type AuditReport, isAudit, readReport } from "./report.ts"
import type { AuditStore } from "./store.ts"
import type { Point, Step } from "./view.ts"

const REPORTS = 24
/** Longer ones are not worth their bytes: this is a line of a few pixels. */
const MAX_BODY = 100_000
const AT_A_TIME = 4

/** Ask for them once, when there is a report; what cannot be had is left out. */
export function recallPast(store: AuditStore, gateway: Gateway): () => void {
  const abort = new AbortController()
  let asked = false
  const unsubscribe = store.subscribe(({ report, body }) => {
    if (asked || !report || (body?.length ?? 0) > MAX_BODY) return
    asked = true
    readPast(gateway, abort.signal).then((found) => found.length && store.recall(...told(found)))
  })
  return () => {
    unsubscribe()
    abort.abort()
  }
}

/** Give what was found of the last reports, oldest first. */
async function readPast(gateway: Gateway, signal: AbortSignal): Promise<[string, Json][]> {
  const names = await gateway.getJson("audit/history", signal).catch(() => [])
  if (!Array.isArray(names)) return []
  const wanted = names.slice(0, REPORTS).map(String).reverse()
  const found = new Map<string, Json>()
  const left = [...wanted]
  const read = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const value = await gateway.getJson(`audit/history/${encodeURIComponent(name)}`, signal).catch(() => null)
      found.set(name, value as Json)
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, read))
  return wanted.map((name) => [name, found.get(name) ?? null])
}

function told(found: readonly [string, Json][]): [Point[], Step[]] {
  const [points, steps]: [Point[], Step[]] = [[], []]
  let before: AuditReport | null = null
  for (const [name, value] of found) {
    if (!isAudit(value)) continue
    const report: AuditReport = readReport(value, before, Number.NaN)
    const at = report.reportedAt
    const changes = before ? changesBetween(before, report) : []
    before = report
    if (Number.isNaN(at)) continue
    points.push({ at, counts: Object.fromEntries(report.counts) })
    if (changes.length) steps.unshift(stepOf(at, name, changes))
  }
  return [points, steps]
}
