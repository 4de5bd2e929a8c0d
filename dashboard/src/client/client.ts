/**
 * Follows one channel for a page: `connect({ url }).start()`.
 *
 * It comes back by itself, goes on where it stood, by the best transport that gets through, and shares one connection
 * with the browser's other tabs.
 *
 * Source: docs/protocol.md, Version 1; Events; Polling.
 */

import { Engine } from "./engine.ts"
import { Keeper, type Listener } from "./keeper.ts"
import { type Asked, canShare, type Message, SharedTabs } from "./sharing.ts"
import type { Feed, Mode, Where } from "./state.ts"

export interface Options {
  /** Of the gateway. */
  readonly url: string | URL
  /** What to follow; the first that is served if not given. */
  readonly channel?: string | undefined
  /** What the gateway's GATEWAY_READ_TOKEN wants. */
  readonly token?: string | undefined
  /** Whether tabs share a connection, where the browser can. */
  readonly share?: boolean
  /** For waits: 0 to 1. */
  readonly chance?: () => number
}

export interface Client {
  getFeed(): Feed
  /** Be told whenever something happens, with the feed as it is then; gives what ends that. */
  subscribe(listener: Listener): () => void
  start(): void
  /** End the connection; what is known stays. */
  stop(): void
  /** Connect at once instead of later; leaves `stopped`, too. */
  tryNow(): void
  /** Ask for the newest report now. */
  refresh(): void
  setMode(mode: Mode): void
  /** The last things that happened, with their times. */
  diagnostics(): readonly string[]
}

const NOTES = 50

export function connect(options: Options): Client {
  const base = new URL(options.url)
  if (!base.pathname.endsWith("/")) base.pathname += "/"
  const where: Where = { url: base.href, channel: options.channel || undefined, token: options.token }
  const notes: string[] = []
  const note = (what: string) => {
    // What repeats itself (a hidden page's timers are slow) does not push out the rest.
    if (notes.at(-1)?.endsWith(`Z ${what}`)) notes.pop()
    notes.push(`${new Date().toISOString()} ${what}`)
    if (notes.length > NOTES) notes.shift()
  }
  const keeper = new Keeper(options.channel, () => void (passOn({ type: "join" }) || engine.wrong()))
  const engine = new Engine(where, keeper, note, options.chance ?? Math.random)
  let tabs: SharedTabs | null = null
  let started: AbortController | null = null

  /** Whether this tab has the connection, or another one was told to do it. */
  function passOn(message: Message): boolean {
    if (!tabs || tabs.isLeading) return false
    tabs.tell(message)
    return true
  }

  keeper.subscribe((feed, event) => {
    if (tabs?.isLeading && event.type === "connection") tabs.tell({ type: "connection", connection: feed.connection })
  })
  engine.onText = (text) => {
    if (tabs?.isLeading) tabs.tell({ type: "frame", text })
  }

  const tab = {
    lead() {
      note("this tab has the connection")
      keeper.shared("leader")
      engine.start()
    },
    follow() {
      note("another tab has the connection")
      engine.stop()
      keeper.shared("follower")
    },
    told(message: Message) {
      if (message.type === "mode") engine.setMode(message.mode)
      if (tabs?.isLeading) {
        if (message.type === "join") tabs.tell({ type: "feed", feed: keeper.feed })
        if (message.type === "ask") engine[message.what]()
      } else if (message.type === "feed") {
        keeper.adopt({ ...message.feed, sharing: "follower" })
      } else if (message.type === "connection") {
        keeper.connected(message.connection)
      } else if (message.type === "frame" && keeper.take(message.text)[1].type === "resync") {
        tabs?.tell({ type: "join" })
      }
    },
  }

  const ask = (what: Asked) => passOn({ type: "ask", what }) || engine[what]()
  const attend = () => ask("attend")
  const doubt = () => {
    if (!passOn({ type: "ask", what: "attend" })) engine.doubt()
    tabs?.look()
  }

  function open(): void {
    const shares = (options.share ?? true) && canShare()
    keeper.shared("alone")
    if (!shares) {
      engine.start()
      return
    }
    // Until it is known which tab has the connection.
    keeper.connected({ kind: "connecting", transport: "websocket", attempt: 1, since: Date.now() })
    tabs = new SharedTabs(nameOf(where), tab)
  }

  function close(): void {
    tabs?.end()
    tabs = null
    engine.stop()
    keeper.connected({ kind: "idle" })
  }

  function start(): void {
    if (started) return
    started = new AbortController()
    open()
    if (typeof document === "undefined") return
    const { signal } = started
    for (const person of ["focus", "pointerdown", "keydown"]) addEventListener(person, attend, { signal })
    for (const network of ["online", "offline"]) addEventListener(network, doubt, { signal })
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && doubt(), { signal })
    // A page that is put aside may be shown again, as it is.
    addEventListener("pagehide", close, { signal })
    addEventListener("pageshow", ({ persisted }) => persisted && open(), { signal })
  }

  function stop(): void {
    if (!started) return
    started.abort()
    started = null
    close()
  }

  return {
    getFeed: () => keeper.feed,
    subscribe: (listener) => keeper.subscribe(listener),
    start,
    stop,
    tryNow: () => ask("tryNow"),
    refresh: () => ask("refresh"),
    setMode: (mode) => {
      engine.setMode(mode)
      tabs?.tell({ type: "mode", mode })
    },
    diagnostics: () => [...notes],
  }
}

/** Tabs share what is the same for them; a token is not told by name. */
function nameOf({ url, channel, token }: Where): string {
  let hash = 0
  for (const char of token ?? "") hash = (Math.imul(hash, 31) + char.charCodeAt(0)) | 0
  return `reportcast 1 ${url} ${channel ?? ""} ${hash}`
}
