/**
 * What the server sends over `reportcast.v1`, and what it is sent.
 *
 * A frame is not trusted: one of an unknown type, and one that is malformed, is told as a value, never thrown.
 *
 * Source: docs/protocol.md, Version 1.
 */

import { nameOf, split } from "./json.ts"

type Check<Value> = (value: unknown) => value is Value
type Checks = Readonly<Record<string, Check<unknown>>>
type Checked<Shape extends Checks> = { readonly [Name in keyof Shape]: Shape[Name] extends Check<infer V> ? V : never }

const text: Check<string> = (value) => typeof value === "string"
const flag: Check<boolean> = (value) => typeof value === "boolean"
/** An offset, a number of things, a time in s or ms. */
const count: Check<number> = (value): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const share: Check<number> = (value): value is number => typeof value === "number" && value >= 0 && value <= 1
const seconds: Check<number> = (value): value is number => typeof value === "number" && value > 0

/** Absent counts as `null`: the server may leave out what it has nothing to say of. */
const maybe =
  <Value>(check: Check<Value>): Check<Value | null | undefined> =>
  (value): value is Value | null | undefined =>
    value === null || value === undefined || check(value)

const list =
  <Value>(check: Check<Value>): Check<readonly Value[]> =>
  (value): value is readonly Value[] =>
    Array.isArray(value) && value.every(check)

const object =
  <Shape extends Checks>(shape: Shape): Check<Checked<Shape>> =>
  (value): value is Checked<Shape> =>
    wrongField(shape, value) === undefined

const numbers: Check<Readonly<Record<string, number>>> = (value): value is Readonly<Record<string, number>> =>
  isObject(value) && Object.values(value).every((each) => typeof each === "number")

const finding = object({ kind: text, message: text, line: maybe(count), column: maybe(count) })

const published = {
  channel: text,
  epoch: text,
  offset: count,
  name: text,
  digest: text,
  published_at: text,
  modified_at: text,
  findings: list(finding),
  /** Where the change's time went until it came to the gateway, by hop; a clock may make one negative. */
  hops_ms: maybe(numbers),
}

const shapes = {
  /** Once, first. */
  hello: {
    protocol: text,
    server: text,
    channels: list(text),
    heartbeat_s: seconds,
    limits: numbers,
    /** Of how many changes a page should report when they were painted, 0 to 1. */
    paint_sample: maybe(share),
    timestamp: text,
  },
  /** Answers each follow; recovered: every change since the position that was asked for comes next. */
  following: {
    channel: text,
    epoch: maybe(text),
    offset: maybe(count),
    recovered: flag,
    reason: maybe(text),
  },
  /** The whole report. */
  snapshot: published,
  /** What makes the report of the one before, whose digest is `base`. */
  delta: { ...published, base: text },
  /** How the feed fares. */
  status: {
    channel: text,
    stale: flag,
    broker: object({ connected: flag }),
    source: maybe(object({ state: maybe(text), reason: maybe(text) })),
    reasons: list(text),
    /** The same wherever the same is told. */
    tag: maybe(text),
    timestamp: text,
  },
  /** The client was too slow for these; the snapshot at `to` comes next. */
  skipped: { channel: text, from: maybe(count), to: count, merged: count },
  heartbeat: {},
  /** The server is going: come back after that, not before. */
  drain: { retry_after_ms: count },
  error: { code: text, message: text },
  pong: { timestamp: text },
} satisfies Record<string, Checks>

type Shapes = typeof shapes
type Type = keyof Shapes

/** The member that is kept as it was written, because a digest is of the text. */
const raw = { snapshot: "data", delta: "changes" } as const
type Raw = typeof raw
type RawMember<T> = T extends keyof Raw ? { readonly [Name in Raw[T]]: string } : unknown

/** A frame of one type; `data` and `changes` are texts of valid JSON. */
export type FrameOf<T extends Type> = { readonly type: T } & Checked<Shapes[T]> & RawMember<T>
export type Frame = { [T in Type]: FrameOf<T> }[Type]
export type Finding = FrameOf<"snapshot">["findings"][number]

/** What a client takes no notice of: a frame of a later protocol. */
export interface Unknown {
  readonly type: "unknown"
  readonly of: string
}

/** What no server of this protocol sends. */
export interface Malformed {
  readonly type: "malformed"
  readonly message: string
}

/** Frames from the client, at most 1024 bytes each; without a channel they mean the first that is served. */
export type ClientFrame =
  | {
      readonly type: "follow"
      readonly channel?: string | undefined
      readonly epoch?: string
      readonly offset?: number
      readonly statuses?: readonly string[]
      readonly names?: readonly string[]
    }
  | { readonly type: "unfollow" | "request-update"; readonly channel?: string | undefined }
  | { readonly type: "ping" }

/** Read what came over the socket. */
export function parseFrame(written: unknown): Frame | Unknown | Malformed {
  const value = typeof written === "string" ? parse(written) : undefined
  if (!isObject(value) || !text(value.type)) return malformed("a frame is a JSON object with a type")
  const type = value.type
  if (!Object.hasOwn(shapes, type)) return { type: "unknown", of: type }
  return read(type as Type, value, written as string)
}

function read(type: Type, value: Readonly<Record<string, unknown>>, written: string): Frame | Malformed {
  const wrong = wrongField(shapes[type], value)
  if (wrong !== undefined) return malformed(`${type}: ${wrong} is missing or not what it should be`)
  if (!Object.hasOwn(raw, type)) return value as Frame
  const name = raw[type as keyof Raw]
  const part = rawPart(written, name)
  return part === undefined ? malformed(`${type}: ${name} is missing`) : ({ ...value, [name]: part } as Frame)
}

/** Untrimmed: where a report keeps its white space, that is part of its digest. */
function rawPart(written: string, name: string): string | undefined {
  const parts = split(written)
  const last = parts.findLastIndex((part, at) => at % 2 === 0 && nameOf(part.trim()) === name)
  return last < 0 ? undefined : parts[last + 1]
}

function wrongField(shape: Checks, value: unknown): string | undefined {
  if (!isObject(value)) return "it"
  return Object.keys(shape).find((name) => !shape[name]?.(Object.hasOwn(value, name) ? value[name] : undefined))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function parse(written: string): unknown {
  try {
    return JSON.parse(written)
  } catch {
    return undefined
  }
}

function malformed(message: string): Malformed {
  return { type: "malformed", message }
}
