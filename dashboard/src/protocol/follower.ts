/**
 * What a client knows of one channel, and how each frame changes it. Pure: the caller has the socket.
 *
 * Source: docs/protocol.md, Version 1.
 */

import { apply, DeltaError } from "./delta.ts"
import type { Verified } from "./digest.ts"
import type { Frame, FrameOf, Malformed, Unknown } from "./frames.ts"
import { classify, type Position } from "./position.ts"

/** A report: where and when (`frame`), and its text. */
export interface Report {
  /** What it came by, or what made it of the one before. */
  readonly frame: FrameOf<"snapshot" | "delta">
  readonly body: string
  /** Whether `body` has the digest that the server told; unknown until `verified` came. */
  readonly verified: Verified
}

/**
 * How sure the next delta is.
 *
 * - `whole`: nothing can be applied until a snapshot comes.
 * - `resuming`: the server was asked for what is missing; what does not fit is from before its answer.
 * - `resumed`: it said that nothing is missing, so what does not fit now never will.
 * - `live`: each delta follows the one before.
 */
export type Phase = "whole" | "resuming" | "resumed" | "live"

/** The report stays when it is out of step: an old report that is told to be old is better than none. */
export interface Follower {
  readonly channel: string
  readonly phase: Phase
  readonly report: Report | null
}

/** What came: a frame, or what `verify` found of the report with that digest. */
export type Event = Frame | Unknown | Malformed | { type: "verified"; digest: string; verified: Verified }

/** What to do: nothing, or to follow again, from a position or for the whole report. */
export type Action = { readonly type: "nothing" } | { readonly type: "resync"; readonly from: Position | null }

export type Step = readonly [Follower, Action]

const NOTHING: Action = { type: "nothing" }

/** Begin to follow a channel, or the same with another filter. */
export function follow(channel: string): Follower {
  return { channel, phase: "whole", report: null }
}

/** Give the position to follow from; `null` for the whole report. */
export function resumeFrom({ phase, report }: Follower): Position | null {
  return phase === "whole" || !report ? null : { epoch: report.frame.epoch, offset: report.frame.offset }
}

/** Take in what came. A connection begins with `hello`, and was asked to follow from `resumeFrom`. */
export function reduce(follower: Follower, event: Event): Step {
  if ("channel" in event && event.channel !== follower.channel) return [follower, NOTHING]
  switch (event.type) {
    case "hello":
      return [{ ...follower, phase: resumeFrom(follower) ? "resuming" : "whole" }, NOTHING]
    case "following":
      return [{ ...follower, phase: answered(follower, event) }, NOTHING]
    case "snapshot":
      return [{ ...follower, phase: "live", report: { frame: event, body: event.data, verified: "unknown" } }, NOTHING]
    case "delta":
      return advance(follower, event)
    case "verified":
      return verified(follower, event.digest, event.verified)
    case "skipped": // the snapshot that comes next says it all
    case "status":
    case "heartbeat":
    case "drain":
    case "error":
    case "pong":
    case "unknown":
    case "malformed":
      return [follower, NOTHING]
    default:
      event satisfies never
      return [follower, NOTHING]
  }
}

function answered({ phase }: Follower, { recovered }: FrameOf<"following">): Phase {
  if (!recovered || phase === "whole") return "whole"
  return "resumed"
}

function advance(follower: Follower, delta: FrameOf<"delta">): Step {
  const { phase, report } = follower
  if (phase === "whole" || !report) return [follower, NOTHING]
  const continuity = classify(report.frame, delta)
  if (continuity === "duplicate") return [follower, NOTHING]
  if (continuity !== "next") return miss(follower)
  if (delta.base !== report.frame.digest) return askWhole(follower)
  try {
    const body = apply(delta.changes, report.body)
    return [
      {
        ...follower,
        phase: phase === "resuming" ? phase : "live",
        report: { frame: delta, body, verified: "unknown" },
      },
      NOTHING,
    ]
  } catch (error) {
    if (error instanceof DeltaError) return askWhole(follower)
    throw error
  }
}

function miss(follower: Follower): Step {
  if (follower.phase === "resuming") return [follower, NOTHING]
  if (follower.phase === "resumed") return askWhole(follower)
  return [
    { ...follower, phase: "resuming" },
    { type: "resync", from: resumeFrom(follower) },
  ]
}

function askWhole(follower: Follower): Step {
  return [
    { ...follower, phase: "whole" },
    { type: "resync", from: null },
  ]
}

function verified(follower: Follower, digest: string, verified: Verified): Step {
  const { phase, report } = follower
  if (report?.frame.digest !== digest) return [follower, NOTHING]
  const told: Follower = { ...follower, report: { ...report, verified } }
  if (verified !== false || phase === "whole") return [told, NOTHING]
  if (report.frame.type === "delta") return askWhole(told)
  // This server would send the same again; but nothing goes on from what is wrong, on another connection neither.
  return [{ ...told, phase: "whole" }, NOTHING]
}
