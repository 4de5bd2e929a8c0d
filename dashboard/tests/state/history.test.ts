import { expect, test } from "vitest"
import { countEnds, timeTicks } from "../../src/state/axis.ts"
import { joined, placed, readHistory } from "../../src/state/history.ts"
import { parseSelection, writeSelection } from "../../src/state/selection.ts"

const entry = (name: string, at: number) => ({ name, at, x: at, health: null, counts: {} })

test("the history is read oldest first; what is no entry, and no number, is left out", () => {
  const entries = readHistory([
    {
      name: "b",
      modifiedAt: "2026-11-23T12:00:01Z",
      timestamp: "x",
      health: "red",
      summary: { total: 2, dirty: "many" },
    },
    null,
    { name: "a", modifiedAt: null, timestamp: "2026-11-23T12:00:00Z", summary: null },
  ])

  expect(entries).toMatchObject([
    { name: "a", at: Date.UTC(2026, 10, 23, 12), health: null, counts: {} },
    { name: "b", health: "red", counts: { total: 2 } },
  ])
  expect(entries[1]?.counts).not.toHaveProperty("dirty")
})

test.each([
  ["a restored backup", [10, 20, 5, 30], [10, 20, 20, 30]],
  ["one from the future", [10, 99, 20, 30], [10, 10, 20, 30]],
  ["an unknown time", [10, Number.NaN, 30], [10, 10, 30]],
  ["a first one that is late", [50, 10, 20], [10, 10, 20]],
])("%s stands where the one before does, and moves no other", (_, times, places) => {
  expect(placed(times.map((at, nth) => entry(`${nth}`, at))).map(({ x }) => x)).toEqual(places)
})

test("what came since is put behind what was listed, once", () => {
  const entries = joined([entry("a", 1), entry("b", 2)], [entry("b", 2), entry("c", 3)])

  expect(entries.map(({ name }) => name)).toEqual(["a", "b", "c"])
})

test.each([
  ["", { from: null, at: null }],
  ["a", { from: null, at: "a" }],
  ["a..b", { from: "a", at: "b" }],
  ["a..", { from: "a", at: null }],
  ["x..y", { from: null, at: "x..y" }],
  ["a..x..y", { from: "a", at: "x..y" }],
  ["gone..b", { from: "gone", at: "b" }],
])("a link to %j says what is looked at, and is written so again", (text, selection) => {
  const entries = ["a", "b", "x..y"].map((name, nth) => entry(name, nth))

  expect(parseSelection(text, entries)).toEqual(selection)
  expect(writeSelection(selection) ?? "").toBe(text)
})

test("an axis has a few round times, and counts begin at 0 unless they are far from it", () => {
  const begin = new Date(2026, 10, 23, 11, 57).getTime()

  const ticks = timeTicks(begin, begin + 3_600_000)

  expect(ticks.map(({ at }) => new Date(at).getMinutes())).toEqual([0, 15, 30, 45])
  expect(countEnds([0, 3])).toEqual([0, 3])
  expect(countEnds([120, 124])).toEqual([120, 124])
  expect(countEnds([0, 0])).toEqual([0, 1])
})
