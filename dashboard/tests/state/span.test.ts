import { expect, test } from "vitest"
import type { Entry } from "../../src/state/history.ts"
import { endsOf, spansFor, untilOf } from "../../src/state/span.ts"

const MIN = 60_000
const at = (...minutes: readonly number[]) =>
  minutes.map((minute): Entry => {
    const time = minute * MIN
    return { name: `${minute}`, epoch: null, offset: minute, at: time, x: time, health: null, counts: {} }
  })

test("the last report holds until now, and is there to be seen if it has just come or is dated ahead", () => {
  const entries = at(0, 90, 100)

  expect(untilOf(entries, 200 * MIN)).toBeGreaterThanOrEqual(200 * MIN)
  expect(untilOf(entries, 200 * MIN)).toBeLessThan(202 * MIN)
  for (const now of [100, 50]) expect(untilOf(entries, now * MIN) / MIN).toBeCloseTo(102, -0.5)
})

test("the end does not move with each second", () => {
  const ends = Array.from({ length: 30 }, (_, second) => untilOf(at(0, 10_000), 20_000 * MIN + second * 1_000))
  expect(new Set(ends).size).toBeLessThan(3)
})

test("a part of the history ends with the whole", () => {
  const entries = at(0, 90, 100)
  expect(spansFor(entries, 120 * MIN)).toEqual(["all", "hour", "minutes"])
  expect(endsOf(entries, "hour", 120 * MIN)).toEqual([60 * MIN, 120 * MIN])
  expect(endsOf(entries, "all", 120 * MIN)).toEqual([0, 120 * MIN])
})
