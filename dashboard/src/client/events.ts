/** Following by server-sent events. Source: docs/protocol.md, Events. */

import { address, ask, type Handlers, type Link, refusal, UNREACHABLE, type Wish } from "./link.ts"

/** What a frame may have, in characters. */
const MOST = 64 * 1024 * 1024

/** By `fetch`: an `EventSource` does not tell with which status it was refused. */
export function openEvents(wish: Wish, handlers: Handlers): Link {
  const aborting = new AbortController()
  read(wish, handlers, aborting.signal).catch(() => {
    if (!aborting.signal.aborted) handlers.ended(UNREACHABLE)
  })
  // There is no way back: who wants to be told otherwise comes again.
  const again = () => {
    aborting.abort()
    handlers.ended({ reason: "the report is asked for again", retryAfterMs: 0, isExact: true })
  }
  return { follow: again, refresh: again, ping: () => false, close: () => aborting.abort() }
}

async function read(wish: Wish, handlers: Handlers, signal: AbortSignal): Promise<void> {
  const position = wish.position()
  const since: Record<string, string> = position ? { since: `${position.epoch}:${position.offset}` } : {}
  const response = await ask(wish, address(wish, "events", since), { signal })
  const isStream = response.headers.get("Content-Type")?.startsWith("text/event-stream")
  if (!response.ok || !response.body) return handlers.ended(await refusal(response))
  if (!isStream) return handlers.ended({ reason: "what answers sends no events", isOfTransport: true })
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let lines = new Lines()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return handlers.ended({ reason: "the event stream ended" })
    handlers.alive()
    if (lines.length > MOST) return handlers.ended({ reason: "a frame is too large", final: "too_large" })
    for (const data of lines.add(value)) if (!signal.aborted) handlers.frame(data)
    if (signal.aborted) lines = new Lines()
  }
}

/** Puts pieces of a stream together to the data of its events. */
export class Lines {
  #rest = ""
  #data: string[] = []

  get length(): number {
    return this.#rest.length
  }

  /** Take in a piece; give the data of the events that it completes. */
  add(piece: string): string[] {
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop() ?? ""
    const found: string[] = []
    for (const line of lines) {
      if (line.startsWith("data:")) this.#data.push(line.slice(line[5] === " " ? 6 : 5))
      if (line !== "" || !this.#data.length) continue
      found.push(this.#data.join("\n"))
      this.#data = []
    }
    return found
  }
}
