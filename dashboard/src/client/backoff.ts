/** When to come back. Pure: times and chance come in. */

export const BASE_MS = 500
export const CAP_MS = 30_000
export const STABLE_MS = 30_000
/** Nobody is kept away for longer, whatever is asked for. */
const MOST_MS = 3_600_000

/** Full jitter: between nothing and a bound that doubles with each failure, so that many clients spread out. */
export class Backoff {
  readonly #chance: () => number
  #failures = 0
  #openedAt: number | null = null

  constructor(chance: () => number) {
    this.#chance = chance
  }

  /** A connection stands. */
  opened(now: number): void {
    this.#openedAt = now
  }

  /**
   * Give how long to wait, in ms, after a connection or an attempt that ended now.
   *
   * @param toldMs What the gateway asked for.
   * @param isExact Whether it asked this client alone; what all are told is spread.
   */
  waitMs(now: number, toldMs?: number, isExact = false): number {
    const isStable = this.#openedAt !== null && now - this.#openedAt >= STABLE_MS
    this.#openedAt = null
    const told = toldMs !== undefined && toldMs >= 0 ? Math.min(toldMs, MOST_MS) : undefined
    // It ended on purpose: what failed before says nothing about the time that was told.
    if (isStable || (isExact && told !== undefined)) this.#failures = 0
    if (isExact && told !== undefined) return told
    const bound = Math.min(CAP_MS, BASE_MS * 2 ** this.#failures)
    this.#failures = Math.min(this.#failures + 1, 16)
    return (told ?? 0) + this.#chance() * bound
  }
}
