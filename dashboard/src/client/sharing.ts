/** One connection for all tabs of a browser: the tab that holds a lock leads, and tells the others. */

import type { ConnectionState, Feed, Mode } from "./state.ts"

/** What any tab may ask of the one that has the connection. */
export type Asked = "tryNow" | "refresh" | "attend"

/** What tabs tell each other. */
export type Message =
  | { readonly type: "join" | "beat" }
  | { readonly type: "ask"; readonly what: Asked }
  | { readonly type: "mode"; readonly mode: Mode }
  | { readonly type: "connection"; readonly connection: ConnectionState }
  | { readonly type: "frame"; readonly text: string }
  | { readonly type: "feed"; readonly feed: Feed }

export interface Tab {
  /** This one has the connection from now on. */
  lead(): void
  /** Another one has. */
  follow(): void
  /** Another one says something. */
  told(message: Message): void
}

const BEAT_MS = 5000
/** Who leads and says nothing for so long is frozen, or gone without a word. */
const SILENT_MS = 15_000
/** A tab that has just been opened is answered within this, unless who leads is suspended. */
const ANSWER_MS = 1000

/** Whether this browser can. */
export function canShare(): boolean {
  return typeof document === "object" && typeof BroadcastChannel === "function" && "locks" in navigator
}

export class SharedTabs {
  readonly #name: string
  readonly #tab: Tab
  readonly #channel: BroadcastChannel
  readonly #ending = new AbortController()
  #isLeading = false
  #isInLine = false
  #heardAt = 0
  #release: () => void = () => {}
  readonly #ticker: ReturnType<typeof setInterval>

  constructor(name: string, tab: Tab) {
    this.#name = name
    this.#tab = tab
    this.#channel = new BroadcastChannel(name)
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => {
      this.#heardAt = Date.now()
      tab.told(data)
    }
    this.#ticker = setInterval(() => this.look(), BEAT_MS)
    this.#follow()
    this.#heardAt -= SILENT_MS - ANSWER_MS
    setTimeout(() => this.look(), ANSWER_MS)
  }

  get isLeading(): boolean {
    return this.#isLeading
  }

  tell(message: Message): void {
    this.#channel.postMessage(message)
  }

  end(): void {
    clearInterval(this.#ticker)
    this.#ending.abort()
    this.#isLeading = false
    this.#release()
    this.#channel.close()
  }

  /** Say that this tab is there; or, if the one that leads does not, lead. */
  look(): void {
    if (this.#ending.signal.aborted) return
    if (this.#isLeading) {
      this.tell({ type: "beat" })
    } else if (Math.abs(Date.now() - this.#heardAt) >= SILENT_MS && document.visibilityState === "visible") {
      this.#heardAt = Date.now()
      this.#request({ steal: true })
    }
  }

  #follow(): void {
    this.#isLeading = false
    this.#heardAt = Date.now()
    this.#tab.follow()
    this.tell({ type: "join" })
    if (this.#isInLine) return
    this.#isInLine = true
    this.#request({ signal: this.#ending.signal })
  }

  #lead(): void {
    this.#isLeading = true
    this.#tab.lead()
  }

  #request(options: LockOptions): void {
    const held = navigator.locks.request(this.#name, options, () => {
      if (!options.steal) this.#isInLine = false
      if (this.#ending.signal.aborted) return undefined
      this.#lead()
      return new Promise<void>((resolve) => {
        this.#release = resolve
      })
    })
    held.catch(() => {
      if (this.#ending.signal.aborted) return
      // It was taken away, by a tab that thought that this one is frozen; or this page may have no locks at all.
      if (this.#isLeading) this.#follow()
      else this.#lead()
    })
  }
}
