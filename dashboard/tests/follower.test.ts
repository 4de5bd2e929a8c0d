import { afterEach, expect, test, vi } from "vitest"
import { verify } from "../src/protocol/digest.ts"
import { type Action, type Event, type Follower, follow, reduce, resumeFrom } from "../src/protocol/follower.ts"
import { parseFrame } from "../src/protocol/frames.ts"
import { golden } from "./golden.ts"

interface Story {
  name: string
  frames: string[]
  ends: { epoch: string; offset: number; body: string }
  resyncs: number
}

const stories = golden<Story>("stories")

/** Give where a client ends that was sent these, and each time that it had to ask again. */
function tell(events: readonly (string | Event)[], start = follow("audit")): [Follower, Action[]] {
  const asked: Action[] = []
  let follower = start
  for (const event of events) {
    const [next, action] = reduce(follower, typeof event === "string" ? parseFrame(event) : event)
    follower = next
    if (action.type === "resync") asked.push(action)
  }
  return [follower, asked]
}

function framesOf(name: string): string[] {
  return stories.find((story) => story.name === name)?.frames ?? []
}

test.each(stories)("story: $name", async ({ frames, ends: { body, ...position }, resyncs }) => {
  const [follower, asked] = tell(frames)

  expect(follower.report?.body).toBe(body)
  expect(follower.report?.frame).toMatchObject(position)
  expect(asked).toHaveLength(resyncs)
  expect(await verify(body, follower.report?.frame.digest ?? "")).toBe(true)
})

test("a gap is asked for from where the client stands", () => {
  const [, asked] = tell(framesOf("a gap is resumed, and what was on its way is ignored"))

  expect(asked).toEqual([{ type: "resync", from: { epoch: "1b65fea20ca22296", offset: 1 } }])
})

test.each(["a base that does not chain", "a delta that does not fit the report"])(
  "the whole report is asked for after %s, and the last one stays until it comes",
  (name) => {
    const [follower, asked] = tell(framesOf(name).slice(0, 4))

    expect(asked).toEqual([{ type: "resync", from: null }])
    expect(follower.report?.frame.offset).toBe(1)
    expect(resumeFrom(follower)).toBeNull()
  },
)

test("a connection that resumes asks from where the last one ended", () => {
  const [follower] = tell(framesOf("a connection resumes").slice(0, 4))

  expect(resumeFrom(follower)).toEqual({ epoch: "1b65fea20ca22296", offset: 2 })
  expect(resumeFrom(follow("audit"))).toBeNull()
})

const FOUR = framesOf("every change in order")
const digestOf = (follower: Follower) => follower.report?.frame.digest ?? ""

test.each([true, "unknown"] as const)("a report that is verified (%s) is told so", (verified) => {
  const [follower] = tell(FOUR)
  const [told, asked] = tell([{ type: "verified", digest: digestOf(follower), verified }], follower)

  expect(told).toEqual({ ...follower, report: { ...follower.report, verified } })
  expect(asked).toEqual([])
})

test("a delta that gave another report than the server's is told, and the whole asked for once", () => {
  const [follower] = tell(FOUR)
  const wrong: Event = { type: "verified", digest: digestOf(follower), verified: false }
  const [told, asked] = tell([wrong, wrong], follower)

  expect(told).toMatchObject({ phase: "whole", report: { verified: false } })
  expect(asked).toEqual([{ type: "resync", from: null }])
})

test("a snapshot with another digest is told, and not asked for again, because it would come again", () => {
  const [follower] = tell(FOUR.slice(0, 3))
  const [told, asked] = tell([{ type: "verified", digest: digestOf(follower), verified: false }], follower)

  expect(told).toMatchObject({ phase: "whole", report: { verified: false } })
  expect(resumeFrom(told)).toBeNull()
  expect(asked).toEqual([])
})

test("what was found of an earlier report does not count", () => {
  const [follower] = tell(FOUR)
  const [earlier] = tell(FOUR.slice(0, 3))

  expect(reduce(follower, { type: "verified", digest: digestOf(earlier), verified: false })[0]).toBe(follower)
})

afterEach(() => vi.unstubAllGlobals())

test("a text is compared with its digest", async () => {
  const digest = "c4b1b2ca0a7b1e1e8a0c1ac8b1a8c1f0"

  expect(await verify("é🙂", digest)).toBe(false)
  expect(await verify("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")).toBe(true)
})

test("nothing is known of a digest without cryptography, as on plain http", async () => {
  vi.stubGlobal("crypto", {})

  expect(await verify("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")).toBe("unknown")
})
