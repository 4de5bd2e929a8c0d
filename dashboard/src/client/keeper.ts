/** Keeps what is known of a channel, and tells who wants to know. */

import { type Action, type Event, follow, parseFrame, reduce, type Verified, verify } from "../protocol/index.ts"
import { type ClientEvent, type ConnectionState, type Feed, nothing, type Sharing } from "./state.ts"

/** To encode 3 MB keeps the page from painting for 10 ms, and each delta names what it is of. */
const LONG = 200_000
const PAUSE_MS = 5_000

export type Listener = (feed: Feed, event: ClientEvent) => void

export class Keeper {
  #feed: Feed
  readonly #listeners = new Set<Listener>()
  readonly #onWrong: () => void
  #verifying = false
  #provedAt = 0

  /** @param onWrong Called when a whole report is not what its digest says. */
  constructor(channel: string | undefined, onWrong: () => void) {
    this.#feed = nothing(channel)
    this.#onWrong = onWrong
  }

  get feed(): Feed {
    return this.#feed
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Take in a frame as written; give what is to be asked for. */
  take(text: string): Action {
    const frame = parseFrame(text)
    if (frame.type === "malformed" || frame.type === "unknown") return { type: "nothing" }
    if (frame.type === "hello") this.#feed = { ...this.#feed, hello: frame }
    // Who asked for no channel is given the first that is served, and stays with it.
    if ("channel" in frame && !this.#feed.follower.channel) {
      this.#feed = { ...this.#feed, follower: follow(frame.channel) }
    }
    const before = this.#feed.follower.report
    const action = this.#reduce(frame)
    const { follower } = this.#feed
    if (follower.report !== before) {
      this.#feed = { ...this.#feed, receivedAt: Date.now() }
      void this.#verify()
    }
    if (frame.type === "status" && frame.channel === follower.channel) this.#feed = { ...this.#feed, status: frame }
    this.#tell({ type: "frame", frame })
    return action
  }

  connected(connection: ConnectionState): void {
    this.#feed = { ...this.#feed, connection }
    this.#tell({ type: "connection" })
  }

  shared(sharing: Sharing): void {
    this.#feed = { ...this.#feed, sharing }
    this.#tell({ type: "connection" })
  }

  /** Take over what another tab knows. */
  adopt(feed: Feed): void {
    this.#feed = { ...feed, sharing: this.#feed.sharing }
    this.#tell({ type: "connection" })
  }

  #reduce(event: Event): Action {
    const [follower, action] = reduce(this.#feed.follower, event)
    if (follower !== this.#feed.follower) this.#feed = { ...this.#feed, follower }
    return action
  }

  /** Between two proofs of a long report. */
  async #pause(): Promise<void> {
    const since = Date.now() - this.#provedAt
    const isLong = (this.#feed.follower.report?.body.length ?? 0) > LONG
    if (isLong && since < PAUSE_MS) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS - since))
    this.#provedAt = Date.now()
  }

  /** One at a time, and always the newest at last: what changes fast is proved now and then. */
  async #verify(): Promise<void> {
    if (this.#verifying) return
    this.#verifying = true
    try {
      while (this.#feed.follower.report?.verified === "unknown") {
        await this.#pause()
        const { frame, body } = this.#feed.follower.report
        const verified: Verified = await verify(body, frame.digest)
        if (verified === "unknown") return
        this.#reduce({ type: "verified", digest: frame.digest, verified })
        if (!verified) this.#onWrong()
      }
    } finally {
      this.#verifying = false
    }
  }

  #tell(event: ClientEvent): void {
    for (const listener of this.#listeners) listener(this.#feed, event)
  }
}
