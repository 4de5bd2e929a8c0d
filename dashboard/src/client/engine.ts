/** Keeps a channel followed, whatever happens to gateways, networks, transports and this computer's sleep. */

import { type Frame, resumeFrom } from "../protocol/index.ts"
import { BASE_MS, Backoff, MOST_MS } from "./backoff.ts"
import { Climb } from "./climb.ts"
import { openEvents } from "./events.ts"
import type { Keeper } from "./keeper.ts"
import { Ladder } from "./ladder.ts"
import { type End, type Hearing, type Link, linked, OPEN_MS, type Open, type Wish } from "./link.ts"
import { openPolls } from "./poll.ts"
import type { ConnectionState, Mode, TransportName, Where } from "./state.ts"
import { Watchdog } from "./watchdog.ts"
import { openWebSocket } from "./websocket.ts"

const OPEN: Readonly<Record<TransportName, Open>> = { websocket: openWebSocket, events: openEvents, poll: openPolls }
const WORDS: Readonly<Record<string, string>> = { websocket: "WebSocket", events: "the event stream" }

const POLL_S = 30
const TICK_MS = 1000
/** Networks that come and go have something tried every so often at most. */
const DOUBT_MS = 1000
/** What a gateway may call its heartbeat, in s. */
const MOST_S = 300
const OFFLINE = "this browser is offline"

const isOffline = () => globalThis.navigator?.onLine === false

export class Engine {
  /** Is told each frame, as written, before it is taken in. */
  onText: (text: string) => void = () => {}
  readonly #where: Where
  readonly #keeper: Keeper
  readonly #note: (what: string) => void
  readonly #backoff: Backoff
  readonly #ladder: Ladder
  readonly #climb: Climb
  #watchdog = new Watchdog(0)
  #mode: Mode = { live: true }
  #link: Link | null = null
  #transport: TransportName = "websocket"
  #attempt = 0
  #isOpen = false
  #drainMs: number | undefined
  /** When a connection, or an attempt, ended, and for how long nothing is tried then, unless a person wants it. */
  #lostAt = 0
  #awayMs = 0
  /** Since when there is none. */
  #outSince: number | null = null
  #ticker: ReturnType<typeof setInterval> | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  readonly #hear: Hearing = {
    alive: () => this.#alive(),
    frame: (text) => this.#take(text),
    // What brought something is no wrong way, whatever ended it.
    ended: (end) => this.#lost(this.#isOpen ? { ...end, isOfTransport: false } : end),
  }

  constructor(where: Where, keeper: Keeper, note: (what: string) => void, chance: () => number) {
    this.#where = where
    this.#keeper = keeper
    this.#note = note
    this.#backoff = new Backoff(chance)
    this.#ladder = new Ladder(chance)
    this.#climb = new Climb(
      this.#ladder,
      (transport, hear) => linked(OPEN[transport], this.#wish(), hear),
      (transport, link) => this.#changeOver(transport, link),
    )
  }

  start(): void {
    if (this.#ticker !== undefined) return
    this.#watchdog = new Watchdog(Date.now())
    this.#ticker = setInterval(() => this.#tick(), TICK_MS)
    this.#connect()
  }

  /** End, and forget the timers; what is known stays. */
  stop(): void {
    this.#abandon()
    this.#climb.stop()
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
    if (JSON.stringify(mode) === JSON.stringify(this.#mode)) return
    this.#mode = mode
    if (this.#ticker === undefined) return
    this.#note(`real-time ${mode.live ? "on" : "off"}`)
    this.#ladder.restart()
    this.#connect()
  }

  /** Look whether the connection is still there: the computer may have slept, or its network have come or gone. */
  doubt(): void {
    const now = Date.now()
    if (this.#ticker === undefined || this.#connection.kind === "stopped") return
    if (this.#link && !this.#watchdog.isSilent(now)) {
      if (this.#isOpen && this.#watchdog.mayAsk(now) && this.#link.ping()) this.#watchdog.doubt(now)
      return
    }
    this.#ladder.restart()
    if (this.#link) this.#lost({ reason: "the connection was lost" }, 0)
    else this.#hurry(now)
  }

  /** A person is at the page, who is not to look at a dead connection for long, nor to wait for the next attempt. */
  attend(): void {
    const now = Date.now()
    if (!this.#link) this.#hurry(now)
    else if (this.#transport === "websocket" && this.#watchdog.isQuiet(now)) this.doubt()
  }

  /** Make the next attempt as soon as it may be. */
  #hurry(now: number): void {
    if (this.#ticker === undefined || this.#connection.kind !== "offline") return
    // A clock that was set back says nothing of how long it was.
    this.#again(this.#awayMs - Math.abs(now - this.#lostAt))
  }

  /** The report that came is not what its digest says. */
  wrong(): void {
    if (this.#keeper.feed.follower.report?.frame.type === "delta") this.#link?.follow(null)
    else if (this.#link) this.#lost({ reason: "a report came that is not what its digest says", isOfTransport: true })
  }

  get #connection(): ConnectionState {
    return this.#keeper.feed.connection
  }

  #connect(): void {
    this.#begin(this.#mode.live ? this.#ladder.transport : "poll")
    this.#attempt++
    const [transport, attempt, since] = [this.#transport, this.#attempt, this.#outSince ?? Date.now()]
    this.#keeper.connected({ kind: "connecting", transport, attempt, since })
    this.#link = linked(OPEN[transport], this.#wish(), this.#hear)
  }

  /** Another transport gets through, which is better: there is no moment without one. */
  #changeOver(transport: TransportName, link: Link): Hearing {
    this.#note(`${WORDS[transport]} gets through again`)
    this.#ladder.climb(transport)
    this.#begin(transport)
    this.#link = link
    return this.#hear
  }

  #begin(transport: TransportName): void {
    this.#abandon()
    this.#transport = transport
    this.#isOpen = false
    this.#drainMs = undefined
    this.#watchdog.expect(Date.now(), OPEN_MS)
  }

  #wish(): Wish {
    return {
      ...this.#where,
      // Whatever the next gateway serves first.
      channel: this.#keeper.feed.follower.channel || this.#where.channel,
      position: () => resumeFrom(this.#keeper.feed.follower),
      told: () => this.#keeper.feed.status?.tag || undefined,
      waitS: this.#mode.live ? POLL_S : 0,
      pauseMs: this.#mode.live ? 0 : Math.max(1, this.#mode.everyS) * 1000,
    }
  }

  #alive(): void {
    if (this.#transport === "poll" && !this.#isOpen) this.#opened()
    const told = this.#isOpen && this.#keeper.feed.hello?.heartbeat_s
    const heartbeatMs = told ? 1000 * Math.min(MOST_S, Math.max(1, told)) : OPEN_MS / 2
    this.#watchdog.expect(Date.now(), this.#link?.patienceMs(heartbeatMs) ?? OPEN_MS)
  }

  #take(text: string): void {
    if (!this.#isOpen) this.#opened()
    this.onText(text)
    const [frame, action] = this.#keeper.take(text)
    if (frame.type === "malformed") this.#note(frame.message)
    else if (frame.type !== "unknown") this.#heed(frame)
    if (action.type === "resync") this.#link?.follow(action.from)
  }

  /** Take note of what is said of the connection. */
  #heed(frame: Frame): void {
    if (frame.type === "hello") this.#alive()
    else if (frame.type === "heartbeat") this.#ladder.proved()
    else if (frame.type === "drain") this.#drainMs = frame.retry_after_ms
    else if (frame.type === "error" && frame.code === "unknown_channel")
      this.#lost({ reason: frame.message, final: "not_served" })
  }

  #opened(): void {
    const [transport, since] = [this.#transport, Date.now()]
    this.#isOpen = true
    this.#outSince = null
    this.#attempt = 0
    if (this.#mode.live && this.#ladder.better.length) this.#climb.up()
    else this.#climb.stop()
    this.#backoff.opened(since)
    this.#note(`connected by ${transport}`)
    if (transport === "websocket") {
      this.#keeper.connected({ kind: "live", transport, since })
      return
    }
    const { live } = this.#mode
    const reason = live ? `${WORDS[this.#ladder.better[0] ?? ""]} does not get through` : "real-time is off"
    this.#keeper.connected({ kind: "degraded", transport, since, reason })
  }

  #lost(end: End, waitMs?: number): void {
    this.#abandon()
    const now = Date.now()
    if (end.final) {
      this.#climb.stop()
      this.#note(`stopped: ${end.reason}`)
      this.#keeper.connected({ kind: "stopped", code: end.final, reason: end.reason })
      return
    }
    const toldMs = this.#drainMs ?? end.retryAfterMs
    this.#awayMs = Math.min(MOST_MS, Math.max(DOUBT_MS, toldMs ?? 0))
    this.#lostAt = now
    this.#outSince ??= now
    let retryMs = waitMs ?? this.#backoff.waitMs(now, toldMs, this.#drainMs !== undefined || end.isExact)
    // Below the best, whatever fails may be this transport's alone.
    const isWrongWay = end.isOfTransport || (this.#ladder.better.length && !this.#isOpen)
    // What is in the way of one transport is no reason to be late with the next.
    if (isWrongWay && this.#mode.live && this.#ladder.failed()) retryMs = Math.min(retryMs, BASE_MS)
    this.#note(`lost: ${end.reason}; again in ${Math.round(retryMs)} ms`)
    const reason = isOffline() ? OFFLINE : end.reason
    this.#keeper.connected({
      kind: "offline",
      since: this.#outSince,
      reason,
      attempt: this.#attempt,
      retryAt: now + retryMs,
    })
    this.#again(this.#isCutOff ? 0 : retryMs)
  }

  /** Connect; or, where the browser has no network, wait until it has. */
  #again(inMs = 0): void {
    clearTimeout(this.#retry)
    if (inMs > 0) {
      this.#retry = setTimeout(() => this.#again(), inMs)
      return
    }
    const state = this.#connection
    if (state.kind !== "offline" || !this.#isCutOff) this.#connect()
    else if (state.retryAt !== null) this.#keeper.connected({ ...state, reason: OFFLINE, retryAt: null })
  }

  /** What a browser knows of networks says nothing of a gateway on this computer. */
  get #isCutOff(): boolean {
    return isOffline() && !/^\w+:\/\/(localhost|127(\.\d+){3}|\[::1])[:/]/.test(this.#where.url)
  }

  #abandon(): void {
    this.#link?.close()
    this.#link = null
    this.#climb.down()
    clearTimeout(this.#retry)
  }

  #tick(): void {
    const found = this.#watchdog.look(Date.now())
    const state = this.#connection
    if (found === "slept" || (found === "slow" && this.#transport === "websocket")) {
      this.#note("woke up")
      this.doubt()
    } else if (found === "silent" && this.#link) {
      if (this.#isOpen && !this.#watchdog.isAsked && this.#link.ping()) this.#watchdog.doubt(Date.now())
      else this.#lost({ reason: "nothing came for too long", isOfTransport: true })
    } else if (state.kind === "offline" && state.retryAt === null) {
      this.#again()
    }
  }
}
