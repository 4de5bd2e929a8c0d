/** Following by polls: long ones, or short ones at an interval. Source: docs/protocol.md, Polling. */

import { elements } from "../protocol/index.ts"
import { address, ask, type Handlers, type Link, refusal, retryAfterMs, UNREACHABLE, type Wish } from "./link.ts"

export function openPolls(wish: Wish, handlers: Handlers): Link {
  let isClosed = false
  let isWhole = false
  let aborting = new AbortController()
  let resume = () => {}

  async function once(signal: AbortSignal): Promise<boolean> {
    const position = isWhole ? null : wish.position()
    isWhole = false
    const since = position ? `${position.epoch}:${position.offset}` : ""
    // The first is answered at once, so that it is known that polls get through.
    const wait = wish.waitS && hasAnswered ? { wait: `${wish.waitS}` } : {}
    const response = await ask(wish, address(wish, "audit", { since, told: wish.told(), ...wait }), { signal })
    if (response.status !== 200 && response.status !== 204) {
      handlers.ended(await refusal(response))
      return false
    }
    const text = response.status === 200 ? await response.text() : "[]"
    handlers.alive()
    hasAnswered = true
    for (const frame of elements(text)) if (!signal.aborted) handlers.frame(frame)
    const after = retryAfterMs(response)
    if (after !== undefined) handlers.ended({ reason: "the gateway is restarting", retryAfterMs: after })
    return after === undefined
  }
  let hasAnswered = false

  async function go(): Promise<void> {
    while (!isClosed) {
      aborting = new AbortController()
      try {
        if (!(await once(aborting.signal))) return
      } catch {
        if (isClosed) return
        if (!aborting.signal.aborted) return handlers.ended(UNREACHABLE)
        continue // it was asked for something else meanwhile
      }
      if (!isClosed && wish.pauseMs) await pause(wish.pauseMs)
    }
  }
  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      resume = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
  const again = () => {
    aborting.abort()
    resume()
  }
  void go()
  return {
    follow: (from) => {
      isWhole = from === null
      again()
    },
    refresh: again,
    ping: () => {
      again()
      return true
    },
    close: () => {
      isClosed = true
      again()
    },
  }
}
