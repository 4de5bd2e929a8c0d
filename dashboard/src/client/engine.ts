/** Keeps a channel followed, whatever happens to gateways, networks, transports and this computer's sleep. */

import { resumeFrom } from "../protocol/index.ts"
import { Backoff } from "./backoff.ts"
import { openEvents } from "./events.ts"
import type { Keeper } from "./keeper.ts"
import { Ladder } from "./ladder.ts"
import type { End, Link, Open, Wish } from "./link.ts"
import { openPolls } from "./poll.ts"
import type { Mode, TransportName, Where } from "./state.ts"
import { openWebSocket } from "./websocket.ts"

const OPEN: Readonly<Record<TransportName, Open>> = { websocket: openWebSocket, events: openEvents, poll: openPolls }

/** A connection may take so long until the gateway has said something. */
const OPEN_MS = 10_000
const POLL_S = 30
const TICK_MS = 1000
/** A tick that is later than this was slept through. */
const SLEPT_MS = 10_000
/** After a sleep, or while the browser says that it is offline, a sign of life has to come within this. */
const DOUBT_MS = 3000

export class Engine {
  /** Is told each frame, as written, before it is taken in. */
  onText: (text: string) => void = () => {}
  readonly #where: Where
  readonly #keeper: Keeper
  readonly #note: (what: string) => void
  readonly #backoff: Backoff
  readonly #ladder: Ladder
  #mode: Mode = { live: true }
  #link: Link | null = null
  #transport: TransportName = "websocket"
  #attempt = 0
  #isOpen = false
  #isStopped = false
  #drainMs: number | undefined
  #dueAt = 0
  #tickedAt = 0
  #ticker: ReturnType<typeof setInterval> | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #climbing: ReturnType<typeof setTimeout> | undefined
  #better: Link | null = null

  constructor(where: Where, keeper: Keeper, note: (what: string) => void, chance: () => number) {
    this.#where = where
    this.#keeper = keeper
    this.#note = note
    this.#backoff = new Backoff(chance)
    this.#ladder = new Ladder(chance)
  }

  start(): void {
    if (this.#ticker !== undefined) return
    this.#tickedAt = Date.now()
    this.#ticker = setInterval(() => this.#tick(), TICK_MS)
    this.#connect()
  }

  /** End, and forget the timers; what is known stays. */
  stop(): void {
    this.#abandon()
    clearInterval(this.#ticker)
    this.#ticker = undefined
  }

  /** Connect at once, unless there is a connection. */
  tryNow(): void {
    if (this.#ticker === undefined || this.#link) return
    this.#ladder.restart()
    this.#connect()
  }

  refresh(): void {
    if (this.#link) this.#link.refresh()
    else this.tryNow()
  }

  setMode(mode: Mode): void {
    if (mode.live === this.#mode.live && (mode.live || this.#mode.live || mode.everyS === this.#mode.everyS)) return
    this.#mode = mode
    if (this.#ticker === undefined) return
    this.#note(mode.live ? "real-time on" : `real-time off: a poll every ${mode.everyS} s`)
    this.#ladder.restart()
    this.#connect()
  }

  /** Look whether the connection is still there: the computer may have slept, or changed its network. */
  doubt(): void {
    if (this.#ticker === undefined || this.#isStopped) return
    if (!this.#link) this.tryNow()
    else if (Date.now() > this.#dueAt) {
      this.#ladder.restart()
      this.#lost({ reason: "the connection was lost in the meantime" }, 0)
    } else if (this.#link.ping()) this.#dueAt = Math.min(this.#dueAt, Date.now() + DOUBT_MS)
  }

  /** The report that came is not what its digest says. */
  wrong(): void {
    if (this.#keeper.feed.follower.report?.frame.type === "snapshot")
      this.#lost({ reason: "a report came that is not what its digest says", isOfTransport: true })
    else this.#link?.follow(null)
  }

  #connect(): void {
    this.#abandon()
    const transport = this.#mode.live ? this.#ladder.transport : "poll"
    this.#transport = transport
    this.#attempt++
    this.#isOpen = this.#isStopped = false
    this.#drainMs = undefined
    const now = Date.now()
    this.#dueAt = now + OPEN_MS
    this.#keeper.connected({ kind: "connecting", transport, attempt: this.#attempt, since: now })
    let link: Link | null = null
    link = OPEN[transport](this.#wish(), {
      alive: () => this.#alive(),
      frame: (text) => {
        if (this.#link === link) this.#take(text)
      },
      ended: (end) => {
        if (this.#link === link) this.#lost(end)
      },
    })
    this.#link = link
  }

  #wish(): Wish {
    return {
      ...this.#where,
      position: () => resumeFrom(this.#keeper.feed.follower),
      told: () => this.#keeper.feed.status?.tag ?? "",
      waitS: this.#mode.live ? POLL_S : 0,
      pauseMs: this.#mode.live ? 0 : this.#mode.everyS * 1000,
    }
  }

  #alive(): void {
    if (this.#transport === "poll" && !this.#isOpen) this.#opened()
    const patience = this.#transport === "poll" ? POLL_S * 1000 + OPEN_MS : this.#patienceMs()
    this.#dueAt = Date.now() + patience + (this.#mode.live ? 0 : this.#mode.everyS * 1000)
  }

  #patienceMs(): number {
    const heartbeat = this.#isOpen ? this.#keeper.feed.hello?.heartbeat_s : undefined
    return heartbeat === undefined ? OPEN_MS : 2000 * Math.min(300, Math.max(1, heartbeat))
  }

  #take(text: string): void {
    if (!this.#isOpen) this.#opened()
    const before = this.#keeper.feed
    this.onText(text)
    const action = this.#keeper.take(text)
    if (text.startsWith('{"type":"drain"')) this.#drainMs = JSON.parse(text).retry_after_ms
    else if (text.startsWith('{"type":"heartbeat"')) this.#ladder.proved()
    else if (text.startsWith('{"type":"error"')) this.#refused(JSON.parse(text))
    if (action.type === "resync") this.#link?.follow(action.from)
    if (before.hello !== this.#keeper.feed.hello) this.#alive()
  }

  #refused({ code, message }: { code?: unknown; message?: unknown }): void {
    if (code === "unknown_channel") this.#lost({ reason: `${message}`, final: "not_served" })
  }

  #opened(): void {
    const now = Date.now()
    this.#isOpen = true
    this.#attempt = 0
    this.#backoff.opened(now)
    this.#note(`connected by ${this.#transport}`)
    const transport = this.#transport
    if (transport === "websocket") {
      this.#keeper.connected({ kind: "live", transport, since: now })
      return
    }
    const reason = this.#mode.live
      ? `${WORDS[this.#ladder.better[0] ?? "websocket"]} does not get through`
      : "real-time is off"
    this.#keeper.connected({ kind: "degraded", transport, since: now, reason })
    if (this.#mode.live) this.#climb([])
  }

  #lost(end: End, waitMs?: number): void {
    this.#abandon()
    const now = Date.now()
    if (end.final) {
      this.#isStopped = true
      this.#note(`stopped: ${end.reason}`)
      this.#keeper.connected({ kind: "stopped", code: end.final, reason: end.reason })
      return
    }
    if (end.isOfTransport) this.#ladder.failed()
    const told = this.#drainMs ?? end.retryAfterMs
    const isExact = this.#drainMs !== undefined || (end.isExact ?? false)
    const retryMs = waitMs ?? this.#backoff.waitMs(now, told, isExact)
    const reason = globalThis.navigator?.onLine === false ? "this browser is offline" : end.reason
    this.#note(`lost: ${end.reason}; again in ${Math.round(retryMs)} ms`)
    this.#keeper.connected({ kind: "offline", since: now, reason, attempt: this.#attempt, retryAt: now + retryMs })
    this.#retry = setTimeout(() => this.#connect(), retryMs)
  }

  #abandon(): void {
    const link = this.#link
    this.#link = null
    link?.close()
    this.#better?.close()
    this.#better = null
    clearTimeout(this.#retry)
    clearTimeout(this.#climbing)
  }

  /** By wall-clock time: a sleep of the computer is noticed when it ends. */
  #tick(): void {
    const now = Date.now()
    const slept = now - this.#tickedAt > SLEPT_MS
    this.#tickedAt = now
    if (slept) {
      this.#note("woke up")
      this.doubt()
    } else if (this.#link && now > this.#dueAt) {
      this.#lost({ reason: "nothing came for too long", isOfTransport: true })
    }
  }

  /** While a worse transport is used, try the better ones; change over once one gets through. */
  #climb([transport, ...others]: readonly TransportName[]): void {
    if (!transport) {
      this.#climbing = setTimeout(() => this.#climb(this.#ladder.better), this.#ladder.climbInMs())
      return
    }
    const fail = () => {
      clearTimeout(this.#climbing)
      this.#better?.close()
      this.#better = null
      this.#climb(others)
    }
    this.#climbing = setTimeout(fail, OPEN_MS)
    this.#better = OPEN[transport](this.#wish(), {
      alive: () => {},
      frame: () => {
        this.#note(`${transport} gets through again`)
        this.#ladder.climb(transport)
        this.#connect()
      },
      ended: fail,
    })
  }
}

const WORDS: Readonly<Record<TransportName, string>> = {
  websocket: "WebSocket",
  events: "the event stream",
  poll: "the poll",
}
