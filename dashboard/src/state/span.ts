/** How much of the history is to be seen. Pure. */

import type { Entry } from "./history.ts"

const H = 3_600_000

export const SPANS = {
  all: ["All", Number.POSITIVE_INFINITY],
  month: ["30 days", 720 * H],
  week: ["7 days", 168 * H],
  day: ["24 h", 24 * H],
  hour: ["1 h", H],
  minutes: ["10 min", H / 6],
} as const
export type Span = keyof typeof SPANS

/** Give those that show less than all there is. */
export function spansFor(entries: readonly Entry[]): Span[] {
  const all = (entries.at(-1)?.x ?? 0) - (entries[0]?.x ?? 0)
  const shorter = (Object.keys(SPANS) as Span[]).filter((span) => SPANS[span][1] < all)
  return shorter.length ? ["all", ...shorter] : []
}

/** Give the first and the last time to be seen, in ms. */
export function endsOf(entries: readonly Entry[], span: Span): readonly [number, number] {
  const [first, last] = [entries[0]?.x ?? 0, entries.at(-1)?.x ?? 0]
  return [Math.max(first, last - SPANS[span][1]), last]
}
