/** Following by server-sent events. Source: docs/protocol.md, Events. */

import {
  ask,
  asking,
  CUT,
  type End,
  type Hearing,
  pieces,
  refusal,
  STRANGER,
  silenceMs,
  since,
  UNREACHABLE,
  type Way,
  type Wish,
} from "./link.ts"

/** What a frame may have, in characters. */
const MOST = 64 * 1024 * 1024

/** By `fetch`: an `EventSource` does not tell with which status it was refused. */
export function openEvents(wish: Wish, hear: Hearing, signal: AbortSignal): Way {
  let ending = new AbortController()
  // There is no way back: who wants to be told otherwise, or whether anybody is there, asks for another stream.
  const again = () => {
    ending.abort()
    if (signal.aborted) return
    ending = new AbortController()
    void read(wish, hear, ending.signal)
  }
  signal.addEventListener("abort", again)
  again()
  return asking(again, silenceMs)
}

async function read(wish: Wish, hear: Hearing, signal: AbortSignal): Promise<void> {
  let end = UNREACHABLE
  try {
    const response = await ask(wish, signal, "events", { since: since(wish) || undefined })
    end = CUT
    end = await listen(response, hear, signal)
  } catch {
    // It is told below.
  }
  if (!signal.aborted) hear.ended(end)
}

async function listen(response: Response, hear: Hearing, signal: AbortSignal): Promise<End> {
  if (!response.ok) return await refusal(response)
  if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) return STRANGER
  const lines = new Lines()
  for await (const piece of pieces(response)) {
    if (signal.aborted) break
    hear.alive()
    if (lines.length > MOST) return { reason: "a frame is too large", final: "too_large" }
    lines.add(piece).forEach(hear.frame)
  }
  return { reason: "the event stream ended" }
}

/** Puts pieces of a stream together to the data of its events; the gateway ends lines with a line feed. */
export class Lines {
  length = 0
  #line: string[] = []
  #data: string[] = []

  /** Take in a piece; give the data of the events that it completes. */
  add(piece: string): string[] {
    const found: string[] = []
    const [first = "", ...more] = piece.split("\n")
    this.#grow(first)
    for (const next of more) {
      const line = this.#line.join("").replace(/\r$/, "")
      this.#line = []
      this.length = 0
      this.#grow(next)
      if (line.startsWith("data:")) this.#data.push(line.slice(line[5] === " " ? 6 : 5))
      if (line || !this.#data.length) continue
      found.push(this.#data.join("\n"))
      this.#data = []
    }
    return found
  }

  #grow(part: string): void {
    this.#line.push(part)
    this.length += part.length
  }
}
