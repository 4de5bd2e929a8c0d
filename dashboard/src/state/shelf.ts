/** Past reports that were looked at lately, each asked for once. */

import { type Gateway, pathOfReport } from "./gateway.ts"
import type { Json } from "./json.ts"
import { type AuditReport, isAudit, readReport } from "./report.ts"

export interface Shelf {
  /** Give a report that is here already. */
  peek(name: string): AuditReport | null
  /** Have one that is here: it may be asked for when it is not the present one any more. */
  keep(name: string, report: AuditReport): void
  /** @throws AnswerError, or SyntaxError if it is no audit report. */
  fetch(name: string, signal: AbortSignal): Promise<AuditReport>
}

/** They may be of megabytes. */
const KEPT = 8

export function makeShelf(gateway: Gateway): Shelf {
  const kept = new Map<string, AuditReport>()
  const keep = (name: string, report: AuditReport) => {
    kept.set(name, report)
    const oldest = kept.keys().next().value
    if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest)
  }
  return {
    peek: (name) => kept.get(name) ?? null,
    keep,
    async fetch(name, signal) {
      const value = (await gateway.getJson(pathOfReport(name), signal)) as Json
      if (!isAudit(value)) throw new SyntaxError("it is no audit report")
      const report = readReport(value, null, Number.NaN)
      keep(name, report)
      return report
    },
  }
}
