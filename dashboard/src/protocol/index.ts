/** `reportcast.v1` as a client reads it. */

export { apply, DeltaError } from "./delta.ts"
export { type Verified, verify } from "./digest.ts"
export {
  type Action,
  type Event,
  type Follower,
  follow,
  type Phase,
  type Report,
  reduce,
  resumeFrom,
} from "./follower.ts"
export {
  type ClientFrame,
  type Finding,
  type Frame,
  type FrameOf,
  type Malformed,
  parseFrame,
  type Unknown,
} from "./frames.ts"
export { elements } from "./json.ts"
export { type Continuity, classify, type Position } from "./position.ts"
