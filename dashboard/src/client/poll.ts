/** Following by polls: long ones, or short ones at an interval. Source: docs/protocol.md, Polling. */

import { elements } from "../protocol/index.ts"
import {
  address,
  ask,
  type End,
  type Hearing,
  OPEN_MS,
  refusal,
  retryAfterMs,
  UNREACHABLE,
  type Way,
  type Wish,
} from "./link.ts"

/** What answers at once with nothing new, again and again, is no gateway; it is not asked more often than this. */
const PAUSE_MS = 1000
const NO_POLLS: End = { reason: "what answers polls is no gateway", isOfTransport: true }

export function openPolls(wish: Wish, hear: Hearing, signal: AbortSignal): Way {
  let asking = new AbortController()
  // The first poll is answered at once: it says that polls get through.
  let waitS = 0

  async function go(): Promise<void> {
    while (!signal.aborted) {
      asking = new AbortController()
      try {
        await pause(await poll(), asking.signal)
      } catch {
        // Unless it was asked for something else meanwhile.
        if (!asking.signal.aborted) hear.ended(UNREACHABLE)
      }
    }
  }

  /** Ask once; give how long to leave it at that, in ms. */
  async function poll(): Promise<number> {
    const [began, position, told] = [Date.now(), wish.position(), wish.told()]
    const since = position ? `${position.epoch}:${position.offset}` : ""
    const query = { since, told, ...(waitS ? { wait: `${waitS}` } : {}) }
    const response = await ask(wish, address(wish, "audit", query), asking.signal)
    const end = await take(response)
    if (end) hear.ended(end)
    if (wish.pauseMs) return wish.pauseMs
    const now = wish.position()
    const isNews = now?.offset !== position?.offset || now?.epoch !== position?.epoch || wish.told() !== told
    const isIdle = waitS > 0 && !isNews
    waitS = wish.waitS
    return isIdle ? Math.max(0, began + PAUSE_MS - Date.now()) : 0
  }

  async function take(response: Response): Promise<End | null> {
    const { status } = response
    if (status !== 200 && status !== 204) return await refusal(response)
    const text = status === 200 ? await response.text() : "[]"
    if (text[0] !== "[") return NO_POLLS
    hear.alive()
    for (const frame of elements(text)) if (!asking.signal.aborted) hear.frame(frame)
    const after = retryAfterMs(response)
    return after === undefined ? null : { reason: "the gateway is restarting", retryAfterMs: after }
  }

  const again = () => {
    waitS = 0
    asking.abort()
  }
  signal.addEventListener("abort", again)
  void go()
  return {
    follow: again,
    refresh: again,
    ping: () => {
      again()
      return true
    },
    patienceMs: () => wish.waitS * 1000 + wish.pauseMs + OPEN_MS,
  }
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
