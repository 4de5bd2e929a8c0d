/** Following by polls: long ones, or short ones at an interval. Source: docs/protocol.md, Polling. */

import { elements } from "../protocol/index.ts"
import {
  ask,
  asking,
  type End,
  type Hearing,
  OPEN_MS,
  pieces,
  refusal,
  retryAfterMs,
  STRANGER,
  since,
  UNREACHABLE,
  type Way,
  type Wish,
} from "./link.ts"

/** What answers at once with nothing new, again and again, is no gateway; it is not asked more often than this. */
const PAUSE_MS = 1000

export function openPolls(wish: Wish, hear: Hearing, signal: AbortSignal): Way {
  let ending = new AbortController()
  // The first poll is answered at once: it says that polls get through.
  let waitS = 0

  async function go(): Promise<void> {
    while (!signal.aborted) {
      ending = new AbortController()
      try {
        await pause(await poll(), ending.signal)
      } catch {
        // Unless it was asked for something else meanwhile.
        if (!ending.signal.aborted) hear.ended(UNREACHABLE)
      }
    }
  }

  /** Ask once; give how long to leave it at that, in ms. */
  async function poll(): Promise<number> {
    const began = Date.now()
    // Without `since`, it would be a request for the report as it is.
    const query = { since: since(wish), told: wish.told(), wait: waitS || undefined }
    const end = await take(await ask(wish, ending.signal, "audit", query))
    if (end) hear.ended(end)
    if (wish.pauseMs) return wish.pauseMs
    const isIdle = waitS > 0 && since(wish) === query.since && wish.told() === query.told
    waitS = wish.waitS
    return isIdle ? Math.min(PAUSE_MS, began + PAUSE_MS - Date.now()) : 0
  }

  async function take(response: Response): Promise<End | null> {
    const { status } = response
    if (status !== 200 && status !== 204) return await refusal(response)
    let text = ""
    for await (const piece of pieces(response)) {
      text += piece
      if (text[0] !== "[") return STRANGER
      hear.alive()
    }
    if (status === 200 && !text) return STRANGER
    hear.alive()
    for (const frame of elements(text)) if (!ending.signal.aborted) hear.frame(frame)
    const after = retryAfterMs(response)
    return after === undefined ? null : { reason: "the gateway is restarting", retryAfterMs: after }
  }

  const again = () => {
    waitS = 0
    ending.abort()
  }
  signal.addEventListener("abort", again)
  void go()
  const way = asking(again, () => wish.waitS * 1000 + wish.pauseMs + OPEN_MS)
  // Who wants to be told from time to time is not told because somebody is in doubt.
  return wish.pauseMs ? { ...way, ping: () => false } : way
}

/** Wait; an abort ends that early. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (!ms || signal.aborted) {
      resolve()
      return
    }
    const timer = setTimeout(resolve, ms)
    signal.addEventListener("abort", () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
