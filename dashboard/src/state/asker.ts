/** Asks again when there is reason to, however many reasons there are: one question at a time, with a pause between. */

export interface Asker {
  /** There is a reason. */
  ask(): void
  stop(): void
}

const MOST_PAUSE_MS = 60_000

/**
 * @param question Asks, and never rejects; gives whether it was answered.
 * @param pauseMs After an answer; twice as long after each question that has none, for who does not answer may have enough to do.
 */
export function makeAsker(question: (signal: AbortSignal) => Promise<boolean>, pauseMs: number): Asker {
  const abort = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  let isAsking = false
  let isWanted = false
  let failures = 0
  let endedAt = Number.NEGATIVE_INFINITY

  async function begin(): Promise<void> {
    timer = undefined
    isAsking = true
    isWanted = false
    failures = (await question(abort.signal)) ? 0 : failures + 1
    isAsking = false
    endedAt = Date.now()
    if (isWanted) ask()
  }

  function ask(): void {
    if (abort.signal.aborted || timer !== undefined) return
    if (isAsking) isWanted = true
    else {
      const pause = Math.min(MOST_PAUSE_MS, pauseMs * 2 ** failures)
      timer = setTimeout(begin, Math.min(pause, Math.max(0, endedAt + pause - Date.now())))
    }
  }

  return {
    ask,
    stop() {
      abort.abort()
      clearTimeout(timer)
    },
  }
}
