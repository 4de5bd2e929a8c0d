/** Axes: where times and counts stand, and what is written beside them. Pure. */

export interface Tick {
  readonly at: number
  readonly label: string
}

const S = 1_000
const MIN = 60 * S
const H = 60 * MIN
const D = 24 * H
const STEPS = [S, 5 * S, 15 * S, 30 * S, MIN, 2 * MIN, 5 * MIN, 15 * MIN, 30 * MIN, H, 3 * H, 6 * H, 12 * H]
const DAYS = [1, 2, 7, 14, 30, 91, 365].map((days) => days * D)

const seconds = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" })
const minutes = new Intl.DateTimeFormat(undefined, { timeStyle: "short" })
const days = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" })

/** Give at most `most` round times between two, in ms, in this machine's time zone. */
export function timeTicks(from: number, to: number, most = 6): Tick[] {
  const step = [...STEPS, ...DAYS].find((each) => (to - from) / each <= most - 1)
  if (step === undefined || !(to > from)) return []
  const zone = new Date(from).getTimezoneOffset() * MIN
  const ticks: Tick[] = []
  for (let at = Math.ceil((from - zone) / step) * step + zone; at <= to; at += step) {
    ticks.push({ at, label: labelOf(at, step, ticks.at(-1)?.at) })
  }
  return ticks
}

/** Midnight, and the first of another day, are told by their date. */
function labelOf(at: number, step: number, before: number | undefined): string {
  if (step >= D) return days.format(at)
  const isOther = before !== undefined && new Date(before).getDate() !== new Date(at).getDate()
  if (isOther) return days.format(at)
  return (step < MIN ? seconds : minutes).format(at)
}

/** Give the ends of an axis for counts: from 0, unless they are all far from it. */
export function countEnds(values: readonly number[]): readonly [number, number] {
  const shown = values.filter(Number.isFinite)
  const [low, high] = [Math.min(...shown), Math.max(...shown)]
  if (!shown.length) return [0, 1]
  if (low > high * 0.6 && high > 10) return low === high ? [low - 1, high] : [low, high]
  return [0, Math.max(1, high)]
}

/** Where `at` stands between two ends, from 0 to 1; at the first if they are one. */
export function shareOf(at: number, [from, to]: readonly [number, number]): number {
  return from === to ? 0 : Math.min(1, Math.max(0, (at - from) / (to - from)))
}
