/** Asks again when there is reason to, however many reasons there are: one question at a time, with a pause between. */

export interface Asker {
  /** There is a reason. */
  ask(): void
  stop(): void
}

/** @param question Asks, and never rejects. */
export function makeAsker(question: (signal: AbortSignal) => Promise<void>, pauseMs: number): Asker {
  const abort = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  let isAsking = false
  let isWanted = false
  let endedAt = Number.NEGATIVE_INFINITY

  async function begin(): Promise<void> {
    timer = undefined
    isAsking = true
    isWanted = false
    await question(abort.signal)
    isAsking = false
    endedAt = Date.now()
    if (isWanted) ask()
  }

  function ask(): void {
    if (abort.signal.aborted || timer !== undefined) return
    if (isAsking) isWanted = true
    else timer = setTimeout(begin, Math.min(pauseMs, Math.max(0, endedAt + pauseMs - Date.now())))
  }

  return {
    ask,
    stop() {
      abort.abort()
      clearTimeout(timer)
    },
  }
}
