/** While a worse transport is used: tries the better ones from time to time, until one gets through. */

import type { Ladder } from "./ladder.ts"
import { type Hearing, type Link, OPEN_MS } from "./link.ts"
import type { TransportName } from "./state.ts"

export class Climb {
  readonly #ladder: Ladder
  readonly #open: (transport: TransportName, hear: Hearing) => Link
  readonly #got: (transport: TransportName, link: Link) => Hearing
  #timer: ReturnType<typeof setTimeout> | undefined
  #link: Link | null = null
  #isUp = false
  #isDue = false

  /**
   * @param got Takes a link over that gets through, and gives who hears it from now on.
   */
  constructor(
    ladder: Ladder,
    open: (transport: TransportName, hear: Hearing) => Link,
    got: (transport: TransportName, link: Link) => Hearing,
  ) {
    this.#ladder = ladder
    this.#open = open
    this.#got = got
  }

  /** The present connection stands: a wait that has begun goes on, and what was due meanwhile is done. */
  up(): void {
    this.#isUp = true
    if (this.#isDue) this.#try(this.#ladder.better)
    else if (this.#timer === undefined) this.#wait()
  }

  /** It does not stand any more: whatever keeps it away may be meant for all. */
  down(): void {
    this.#isUp = false
  }

  stop(): void {
    this.#isDue = false
    this.#end()
  }

  #wait(): void {
    this.#timer = setTimeout(() => this.#try(this.#ladder.better), this.#ladder.climbInMs())
  }

  #end(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#link?.close()
    this.#link = null
  }

  #try([transport, ...others]: readonly TransportName[]): void {
    this.#isDue = !this.#isUp
    if (this.#isDue) return
    if (!transport) {
      this.#ladder.stayed()
      this.#wait()
      return
    }
    const next = () => {
      this.#end()
      this.#try(others)
    }
    this.#timer = setTimeout(next, OPEN_MS)
    const hear: Hearing = {
      alive() {},
      frame: (text) => {
        const link = this.#link as Link
        this.#link = null
        this.#end()
        Object.assign(hear, this.#got(transport, link))
        hear.frame(text)
      },
      ended: next,
    }
    this.#link = this.#open(transport, hear)
  }
}
