/** Whether the other side is still there. By wall-clock time, as timers stop while a computer sleeps. Pure: times come in. */

/** A look that is later than this after the one before was slept through. */
const SLEPT_MS = 10_000
/** A sign of life that was asked for has to come within this. */
const DOUBT_MS = 3000

export type Finding = "fine" | "slept" | "silent"

export class Watchdog {
  #dueAt = Number.POSITIVE_INFINITY
  #lookedAt: number

  constructor(now: number) {
    this.#lookedAt = now
  }

  /** Something came, or was begun: the next sign of life is due by then. */
  expect(now: number, withinMs: number): void {
    this.#dueAt = now + withinMs
  }

  /** A sign of life was asked for. */
  doubt(now: number): void {
    this.#dueAt = Math.min(this.#dueAt, now + DOUBT_MS)
  }

  isSilent(now: number): boolean {
    return now > this.#dueAt
  }

  /** To be called every second or so. Whatever was due while nobody looked may lie ready: a sleep comes first. */
  look(now: number): Finding {
    const hasSlept = now - this.#lookedAt > SLEPT_MS
    this.#lookedAt = now
    if (hasSlept) return "slept"
    return this.isSilent(now) ? "silent" : "fine"
  }
}
