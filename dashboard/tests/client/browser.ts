/** What of a browser tabs share, in this process: its locks, its channels, and a page's events. */

import { vi } from "vitest"

interface Waiting {
  readonly run: () => void
  readonly reject: (error: unknown) => void
}

class FakeLock {
  #holder: Waiting | null = null
  readonly #line: Waiting[] = []

  request(options: LockOptions, hold: () => Promise<void> | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const run = () => {
        this.#holder = waiting
        void (hold() ?? Promise.resolve()).then(() => {
          if (this.#holder !== waiting) return
          this.#holder = null
          this.#line.shift()?.run()
          resolve()
        })
      }
      const waiting: Waiting = { run, reject }
      options.signal?.addEventListener("abort", () => {
        const at = this.#line.indexOf(waiting)
        if (at >= 0) this.#line.splice(at, 1)
        reject(options.signal?.reason)
      })
      if (options.steal) {
        this.#holder?.reject(new DOMException("stolen", "AbortError"))
        queueMicrotask(run)
      } else {
        this.#line.push(waiting)
        queueMicrotask(() => this.#holder || this.#line.shift()?.run())
      }
    })
  }
}

class FakeLocks {
  readonly #locks = new Map<string, FakeLock>()

  request(name: string, options: LockOptions, hold: () => Promise<void> | undefined): Promise<void> {
    const lock = this.#locks.get(name) ?? new FakeLock()
    this.#locks.set(name, lock)
    return lock.request(options, hold)
  }
}

class FakeChannel {
  static all = new Set<FakeChannel>()
  onmessage: ((event: { data: unknown }) => void) | null = null
  /** A tab whose page is frozen neither hears nor says anything. */
  isFrozen = false
  readonly name: string

  constructor(name: string) {
    this.name = name
    FakeChannel.all.add(this)
  }

  postMessage(message: unknown): void {
    const data = structuredClone(message)
    const others = [...FakeChannel.all].filter((each) => each !== this && each.name === this.name)
    if (this.isFrozen) return
    for (const each of others) queueMicrotask(() => each.isFrozen || each.onmessage?.({ data }))
  }

  close(): void {
    FakeChannel.all.delete(this)
  }
}

export interface FakeBrowser {
  /** Something happens to the page, as `online` or `pagehide`. */
  fire(name: string, more?: object): void
  show(state: "visible" | "hidden"): void
  /** In the order in which tabs were opened. */
  channels(): FakeChannel[]
}

export function fakeBrowser({ locks = new FakeLocks() as unknown } = {}): FakeBrowser {
  FakeChannel.all.clear()
  const page = new EventTarget()
  const document = Object.assign(new EventTarget(), { visibilityState: "visible" })
  vi.stubGlobal("document", document)
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page))
  vi.stubGlobal("navigator", locks ? { onLine: true, locks } : { onLine: true })
  vi.stubGlobal("BroadcastChannel", FakeChannel)
  return {
    fire: (name, more = {}) => void page.dispatchEvent(Object.assign(new Event(name), more)),
    show(state) {
      document.visibilityState = state
      document.dispatchEvent(new Event("visibilitychange"))
    },
    channels: () => [...FakeChannel.all],
  }
}
