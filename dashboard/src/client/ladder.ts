/** Which transport is next, and when a better one is tried again. Pure: chance comes in. */

import { TRANSPORTS, type TransportName } from "./state.ts"

/** Two, because the first may be chance: the gateway ended while it was asked. */
const FAILURES = 2
const CLIMB_MS = 30_000
const CLIMB_CAP_MS = 600_000

/** The transports, of which the best that gets through is used. */
export class Ladder {
  readonly #chance: () => number
  #rung = 0
  #failures = 0
  #climbs = 0

  constructor(chance: () => number) {
    this.#chance = chance
  }

  /** What to try, or what is used. */
  get transport(): TransportName {
    return TRANSPORTS[this.#rung] as TransportName
  }

  /** What would be better than what is used, the best first. */
  get better(): readonly TransportName[] {
    return TRANSPORTS.slice(0, this.#rung)
  }

  /** Signs of life get through: nothing on the way keeps them back. */
  proved(): void {
    this.#failures = 0
    if (this.#rung === 0) this.#climbs = 0
  }

  /**
   * The transport brought nothing; below the last comes the best again, for it may be the gateway that was away.
   *
   * @returns Whether one is next that may fare better.
   */
  failed(): boolean {
    this.#failures++
    if (this.#failures < FAILURES) return false
    this.#rung = (this.#rung + 1) % TRANSPORTS.length
    this.#failures = 0
    return this.#rung > 0
  }

  /** Begin with the best again: this may be another network, or another day. */
  restart(): void {
    this.#rung = this.#failures = this.#climbs = 0
  }

  /** Give how long to wait, in ms, until a better transport is tried. */
  climbInMs(): number {
    const bound = Math.min(CLIMB_CAP_MS, CLIMB_MS * 2 ** this.#climbs)
    return (bound / 2) * (1 + this.#chance())
  }

  /** Better ones were tried, and none gets through. */
  stayed(): void {
    this.#climbs++
  }

  /** Use a better one, which was tried and gets through; until it is proved, it may be deaf soon, as before. */
  climb(transport: TransportName): void {
    this.#climbs++
    this.#rung = TRANSPORTS.indexOf(transport)
    this.#failures = 0
  }
}
