/** Whether the other side is still there. By wall-clock time, as timers stop while a computer sleeps. Pure: times come in. */

/** A look that is later than this after the one before was slept through. */
const SLEPT_MS = 10_000
/** A sign of life that was asked for has to come within this. */
const DOUBT_MS = 3000
const PAUSE_MS = 1000
/** Who looks at a page should not have to wait for longer than this to know. */
const QUIET_MS = 5000

export type Finding = "fine" | "slow" | "slept" | "silent"

export class Watchdog {
  /** Whether a sign of life was asked for that has not come. */
  isAsked = false
  #dueAt = Number.POSITIVE_INFINITY
  #heardAt: number
  #askedAt = Number.NEGATIVE_INFINITY
  #lookedAt: number

  constructor(now: number) {
    this.#lookedAt = this.#heardAt = now
  }

  /** Something came, or was begun: the next sign of life is due by then. */
  expect(now: number, withinMs: number): void {
    this.#heardAt = now
    this.#lookedAt = Math.min(this.#lookedAt, now)
    this.#dueAt = now + withinMs
    this.isAsked = false
  }

  /** Whether to ask for a sign of life: not while one is awaited, nor more often than every second. */
  mayAsk(now: number): boolean {
    return !this.isAsked && Math.abs(now - this.#askedAt) >= PAUSE_MS
  }

  /** It was asked for. */
  doubt(now: number): void {
    this.#askedAt = now
    this.#dueAt = now + DOUBT_MS
    this.isAsked = true
  }

  /** Nothing came for long enough to ask. */
  isQuiet(now: number): boolean {
    return now - this.#heardAt > QUIET_MS
  }

  isSilent(now: number): boolean {
    return now > this.#dueAt
  }

  /**
   * To be called every second or so. Whatever was due while nobody looked may lie ready: a sleep comes first; where
   * something came meanwhile, perhaps only the timers were slow, as those of a hidden page are.
   */
  look(now: number): Finding {
    const passed = now - this.#lookedAt
    const isHeard = this.#heardAt > this.#lookedAt
    this.#lookedAt = now
    // A clock that is set back takes what is due with it.
    if (passed < 0) {
      this.#heardAt += passed
      this.#dueAt += passed
    }
    if (passed > SLEPT_MS) return isHeard ? "slow" : "slept"
    return this.isSilent(now) ? "silent" : "fine"
  }
}
