/** How much the server's clock is ahead of this machine's, as well as can be told. */

/** Clocks part by about this much, in ms for each ms. */
const DRIFT = 0.00005
/** A greeting may have lain here for as long while the page was made. */
const GREETING_MS = 1_000

export interface ServerTime {
  /** ms; 0 until it was told. */
  readonly ahead: number
  /**
   * Take in a time that the server told.
   *
   * @param tookMs How long the question and its answer took together; it was told in the middle, or half as much beside.
   */
  tell(timestamp: string, now: number, tookMs?: number): void
}

export function makeServerTime(): ServerTime {
  let ahead = 0
  let uncertainty = Number.POSITIVE_INFINITY
  let toldAt = 0
  return {
    get ahead() {
      return ahead
    },
    tell(timestamp, now, tookMs) {
      const at = Date.parse(timestamp)
      const wrongBy = (tookMs ?? GREETING_MS) / 2
      if (Number.isNaN(at) || wrongBy > uncertainty + Math.abs(now - toldAt) * DRIFT) return
      ahead = Math.round(at - now + (tookMs ?? 0) / 2)
      uncertainty = wrongBy
      toldAt = now
    },
  }
}
