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

  /** @param onWrong Called when the report is not what its digest says. */
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

  /** Take in a frame as written; give it as read, and what is to be asked for. */
  take(text: string): readonly [ReturnType<typeof parseFrame>, Action] {
    const frame = parseFrame(text)
    if (frame.type === "malformed" || frame.type === "unknown") return [frame, { type: "nothing" }]
    if (frame.type === "hello") this.#set({ hello: frame })
    // Who asked for no channel is given the first that is served, and stays with it.
    if ("channel" in frame && !this.#feed.follower.channel) {
      this.#set({ follower: follow(frame.channel) })
    }
    const before = this.#feed.follower.report
    const action = this.#reduce(frame)
    const { follower } = this.#feed
    if (follower.report !== before) {
      this.#set({ receivedAt: Date.now() })
      void this.#verify()
    }
    if (frame.type === "status" && frame.channel === follower.channel) this.#set({ status: frame })
    this.#tell({ type: "frame", frame })
    return [frame, action]
  }

  connected(connection: ConnectionState): void {
    this.adopt({ ...this.#feed, connection })
  }

  shared(sharing: Sharing): void {
    this.adopt({ ...this.#feed, sharing })
  }

  /** Take over what another tab knows. */
  adopt(feed: Feed): void {
    this.#set(feed)
    this.#tell({ type: "connection" })
  }

  #set(change: Partial<Feed>): void {
    this.#feed = { ...this.#feed, ...change }
  }

  #reduce(event: Event): Action {
    const [follower, action] = reduce(this.#feed.follower, event)
    if (follower !== this.#feed.follower) this.#set({ follower })
    return action
  }

  /** Between two proofs of a long report. */
  async #pause(): Promise<void> {
    // A clock that was set back says nothing of how long it was.
    const leftMs = PAUSE_MS - Math.abs(Date.now() - this.#provedAt)
    const isLong = (this.#feed.follower.report?.body.length ?? 0) > LONG
    if (isLong && leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs))
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
        this.#tell({ type: "verified" })
        // By now there may be another one, of which nothing is known yet.
        if (this.feed.follower.report?.verified === false) this.#onWrong()
      }
    } finally {
      this.#verifying = false
    }
  }

  #tell(event: ClientEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(this.#feed, event)
      } catch (error) {
        // It is no fault of the connection's, and nothing that it should end by.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }
}
