/** Where the time of the last changes went, by `/api/trace`. Pure. Source: docs/protocol.md, Latency. */

import { isObject, isText, type Json } from "./json.ts"

export interface Clock {
  readonly offsetMs: number
  readonly uncertaintyMs: number
}

export interface Painted {
  readonly deliverMs: number
  readonly paintMs: number
}

export interface TracedChange {
  readonly key: string
  readonly offset: number
  readonly name: string
  readonly modifiedAt: number
  /** What is not known is left out. */
  readonly hopsMs: Readonly<Record<string, number>>
  /** From the file to the end of the fan-out; `null` if that is not known (yet). */
  readonly ageMs: number | null
  /** How wrong `relay` and the age may be, either way. */
  readonly uncertaintyMs: number | null
  readonly clients: number
  readonly painted: readonly Painted[]
}

export interface Trace {
  readonly clocks: Readonly<Record<"watcher" | "gateway", Clock | null>>
  /** Of what share of the changes browsers tell when they painted them. */
  readonly paintSample: number
  readonly workers: readonly [asked: number, answered: number]
  /** Newest first. */
  readonly changes: readonly TracedChange[]
}

/** Whose time it is, what begins and ends it, in words. */
export const HOPS = [
  ["detect", "watcher", "Noticed", "until the watcher looked at the file"],
  ["settle", "watcher", "Judged", "until it was known to be whole and valid"],
  ["publish", "watcher", "Handed over", "until the broker was given what changed"],
  ["relay", "broker", "Relayed", "through the broker, until the gateway had it"],
  ["prepare", "gateway", "Prepared", "until its frames were made"],
  ["write", "gateway", "Written", "until every client was written to"],
] as const
export const BROWSER_HOPS = [
  ["deliver", "browser", "Delivered", "from the gateway until a browser had it"],
  ["paint", "browser", "Painted", "until it was on the screen"],
] as const
export type Place = "watcher" | "broker" | "gateway" | "browser"
export const PLACES: readonly Place[] = ["watcher", "broker", "gateway", "browser"]
/** After these, a change is at the gateway: that is where its way to a browser begins. */
const TO_GATEWAY = ["detect", "settle", "publish", "relay"]

export function readTrace(answer: unknown): Trace {
  if (!isObject(answer)) throw new SyntaxError("it is no object")
  const clocks = isObject(answer.clocks) ? answer.clocks : {}
  const workers = isObject(answer.workers) ? answer.workers : {}
  return {
    clocks: { watcher: clockOf(clocks.watcher), gateway: clockOf(clocks.gateway) },
    paintSample: numberOf(answer.paintSample) ?? 0,
    workers: [numberOf(workers.asked) ?? 1, numberOf(workers.answered) ?? 1],
    changes: Array.isArray(answer.changes) ? answer.changes.flatMap((each: Json) => changeOf(each) ?? []) : [],
  }
}

function numberOf(value: Json | undefined): number | null {
  return typeof value === "number" ? value : null
}

function clockOf(value: Json | undefined): Clock | null {
  if (!isObject(value)) return null
  const [offsetMs, uncertaintyMs] = [numberOf(value.offsetMs), numberOf(value.uncertaintyMs)]
  return offsetMs === null || uncertaintyMs === null ? null : { offsetMs, uncertaintyMs }
}

function changeOf(value: Json): TracedChange | null {
  if (!isObject(value) || typeof value.offset !== "number" || !isObject(value.hopsMs)) return null
  const hops = Object.entries(value.hopsMs).filter((hop): hop is [string, number] => typeof hop[1] === "number")
  return {
    key: `${value.epoch}:${value.offset}`,
    offset: value.offset,
    name: isText(value.name) ? value.name : "",
    modifiedAt: isText(value.modifiedAt) ? Date.parse(value.modifiedAt) : Number.NaN,
    hopsMs: Object.fromEntries(hops),
    ageMs: numberOf(value.ageMs),
    uncertaintyMs: numberOf(value.uncertaintyMs),
    clients: numberOf(value.clients) ?? 0,
    painted: Array.isArray(value.painted) ? value.painted.flatMap((each: Json) => paintedOf(each) ?? []) : [],
  }
}

function paintedOf(value: Json): Painted | null {
  if (!isObject(value)) return null
  const [deliverMs, paintMs] = [numberOf(value.deliverMs), numberOf(value.paintMs)]
  return deliverMs === null || paintMs === null ? null : { deliverMs, paintMs }
}

/** Give the change with what this page painted of it itself, unless a browser told that already. */
export function withPainted(change: TracedChange, mine: Painted | undefined): TracedChange {
  return mine && !change.painted.length ? { ...change, painted: [mine] } : change
}

/** The time from the file to the gateway, in ms; `null` if a part of it is not known. */
function toGateway({ hopsMs }: TracedChange): number | null {
  const parts = TO_GATEWAY.map((hop) => hopsMs[hop])
  return parts.reduce<number | null>((sum, ms) => (sum === null || ms === undefined ? null : sum + ms), 0)
}

/** From the file to the screen, in ms, for each browser that told; none if a part of it is not known. */
export function screenTimes(change: TracedChange): number[] {
  const before = toGateway(change)
  return before === null ? [] : change.painted.map(({ deliverMs, paintMs }) => before + deliverMs + paintMs)
}

/** What a browser's way took in the middle of all that told. */
export function medianPainted(change: TracedChange): Painted | null {
  const [deliverMs, paintMs] = (["deliverMs", "paintMs"] as const).map((part) =>
    percentile(
      change.painted.map((each) => each[part]),
      0.5,
    ),
  )
  return typeof deliverMs === "number" && typeof paintMs === "number" ? { deliverMs, paintMs } : null
}

export interface Bar {
  readonly hop: string
  readonly place: Place
  readonly word: string
  readonly meaning: string
  /** `null`: it is not known. */
  readonly ms: number | null
  /** When it begins after the file's change, in ms, as far as is known. */
  readonly begin: number
}

/** Give the hops of a change, each from where the one before it ended: also where that leads backwards. */
export function barsOf(change: TracedChange): Bar[] {
  const painted = medianPainted(change)
  let [begin, atGateway] = [0, 0]
  const bars = HOPS.map(([hop, place, word, meaning]): Bar => {
    const bar = { hop, place, word, meaning, ms: change.hopsMs[hop] ?? null, begin }
    begin += bar.ms ?? 0
    if (hop === "relay") atGateway = begin
    return bar
  })
  const times = [painted?.deliverMs ?? null, painted?.paintMs ?? null]
  const begins = [atGateway, atGateway + (painted?.deliverMs ?? 0)]
  return bars.concat(
    BROWSER_HOPS.map(([hop, place, word, meaning], nth) => {
      return { hop, place, word, meaning, ms: times[nth] ?? null, begin: begins[nth] ?? 0 }
    }),
  )
}

/** The value that at most `share` (0 to 1) of all are below; `null` of none. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null
}

/** A part of a latency in ms, for people; what is below zero is told so. */
export function msWords(ms: number): string {
  if (ms === 0) return "0 ms"
  const text = Math.abs(ms) < 10 ? Math.abs(ms).toFixed(Math.abs(ms) < 1 ? 2 : 1) : Math.abs(ms).toFixed(0)
  const amount = Math.abs(ms) < 10_000 ? `${text} ms` : `${(Math.abs(ms) / 1000).toFixed(1)} s`
  return ms < 0 ? `−${amount}` : amount
}
