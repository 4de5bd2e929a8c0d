/** The counts of the last reports before this page was opened, for the sparklines. */

import type { Gateway } from "./gateway.ts"
import type { Json } from "./json.ts"
import { isAudit, readReport } from "./report.ts"
import type { AuditStore } from "./store.ts"
import type { Point } from "./view.ts"

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
    readPast(gateway, abort.signal).then((points) => points.length && store.recall(points))
  })
  return () => {
    unsubscribe()
    abort.abort()
  }
}

async function readPast(gateway: Gateway, signal: AbortSignal): Promise<Point[]> {
  const names = await gateway.getJson("audit/history", signal).catch(() => [])
  if (!Array.isArray(names)) return []
  const wanted = names.slice(1, REPORTS + 1).map(String)
  const points: Point[] = []
  const read = async () => {
    for (let name = wanted.shift(); name !== undefined; name = wanted.shift()) {
      const value = await gateway.getJson(`audit/history/${encodeURIComponent(name)}`, signal).catch(() => null)
      const point = pointOf(value as Json)
      if (point) points.push(point)
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, read))
  return points
}

function pointOf(value: Json): Point | null {
  if (!isAudit(value)) return null
  const { reportedAt, counts } = readReport(value, null, 0)
  return Number.isNaN(reportedAt) ? null : { at: reportedAt, counts: Object.fromEntries(counts) }
}
