/** When to come back. Pure: times and chance come in. */

export const BASE_MS = 500
export const CAP_MS = 30_000
export const STABLE_MS = 30_000
/** Nobody is kept away for longer, whatever is asked for. */
export const MOST_MS = 3_600_000

/** Full jitter: between nothing and a bound that doubles with each failure, so that many clients spread out. */
export class Backoff {
  readonly #chance: () => number
  #failures = 0
  /** How often in a row it ended with an exact time to come back. */
  #sentAway = 0
  #openedAt = Number.POSITIVE_INFINITY

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
    const isStable = now - this.#openedAt >= STABLE_MS
    this.#openedAt = Number.POSITIVE_INFINITY
    const told = Math.min(toldMs ?? -1, MOST_MS)
    if (isStable) this.#failures = this.#sentAway = 0
    if (!isExact || told < 0) return Math.max(0, told) + this.#jitterMs(this.#failures++)
    // It ended on purpose: what failed before says nothing about the time that was told, which is kept to exactly once.
    this.#failures = 0
    return told + (this.#sentAway++ && this.#jitterMs(this.#sentAway - 2))
  }

  #jitterMs(doublings: number): number {
    return this.#chance() * Math.min(CAP_MS, BASE_MS * 2 ** doublings)
  }
}
