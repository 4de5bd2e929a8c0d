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

/** Of the time between the first and the last report: less of what holds since would not be seen. */
const LEAST = 0.02
/** The end moves in about as many steps over the whole: a chart is not to be drawn anew for less than a pixel or two. */
const STEPS = 500

/** Give until when the last report holds, in ms: until now, or a little longer than it is there. */
export function untilOf(entries: readonly Entry[], now: number): number {
  const [first, last] = [entries[0]?.x ?? now, entries.at(-1)?.x ?? now]
  const until = Math.max(now, last + (last - first) * LEAST)
  const step = 2 ** Math.ceil(Math.log2(Math.max(1_000, (until - first) / STEPS)))
  return first + Math.ceil((until - first) / step) * step
}

/** Give those that show less than all there is. */
export function spansFor(entries: readonly Entry[], until: number): Span[] {
  const all = until - (entries[0]?.x ?? until)
  const shorter = (Object.keys(SPANS) as Span[]).filter((span) => SPANS[span][1] < all)
  return shorter.length ? ["all", ...shorter] : []
}

/** Give the first and the last time to be seen, in ms. */
export function endsOf(entries: readonly Entry[], span: Span, until: number): readonly [number, number] {
  return [Math.max(entries[0]?.x ?? 0, until - SPANS[span][1]), until]
}
