import { expect, test } from "vitest"
import { barsOf, msWords, percentile, readTrace, screenTimes } from "../../src/state/trace.ts"

const CHANGE = {
  epoch: "e",
  offset: 4,
  name: "a.json",
  modifiedAt: "2026-11-23T11:58:00.005Z",
  hopsMs: { detect: 3, settle: 1, publish: 1, relay: -2, prepare: 0.5, write: 0.5 },
  ageMs: 4,
  uncertaintyMs: 0.5,
  clients: 2,
  painted: [{ deliverMs: 1, paintMs: 10 }],
}

function read(change: object) {
  const [first] = readTrace({ changes: [{ ...CHANGE, ...change }] }).changes
  if (!first) throw new Error("it was not read")
  return first
}

test("each hop begins where the one before ended, also one that is negative", () => {
  const bars = barsOf(read({}))

  expect(bars.map(({ hop, begin }) => [hop, begin])).toEqual([
    ["detect", 0],
    ["settle", 3],
    ["publish", 4],
    ["relay", 5],
    ["prepare", 3],
    ["write", 3.5],
    ["deliver", 3],
    ["paint", 4],
  ])
  expect(screenTimes(read({}))).toEqual([14])
})

test("a hop that is not known is no hop of 0 ms, and nothing is summed over it", () => {
  const change = read({ hopsMs: { detect: 3, settle: 1, publish: 1 }, ageMs: null })

  expect(barsOf(change).find(({ hop }) => hop === "relay")?.ms).toBeNull()
  expect(screenTimes(change)).toEqual([])
})

test("percentiles are values that were measured", () => {
  expect(percentile([4, 1, 3, Number.NaN, 2], 0.5)).toBe(2)
  expect(percentile([4, 1, 3, 2], 0.95)).toBe(4)
  expect(percentile([], 0.5)).toBeNull()
  expect([0, 0.254, 3.14, -31.4, 12_345].map(msWords)).toEqual(["0 ms", "0.25 ms", "3.1 ms", "−31 ms", "12.3 s"])
})
