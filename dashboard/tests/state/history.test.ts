import { expect, test } from "vitest"
import { countEnds, timeTicks } from "../../src/state/axis.ts"
import { joined, placed, readHistory, withShown } from "../../src/state/history.ts"
import { parseSelection, writeSelection } from "../../src/state/selection.ts"
import { makeStore } from "../../src/state/store.ts"
import { audit, FakeClient } from "../support/fake-client.ts"

const entry = (name: string, at: number, epoch = "one") => ({
  name,
  epoch,
  offset: at,
  at,
  x: at,
  health: null,
  counts: {},
})

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

test.each([
  ["what came since is behind it, once", "ab", "bc", "abc"],
  ["what is not kept any more is gone", "bc", "abc", "bc"],
  ["and so it is where more was listed than shown", "cdef", "abc", "cdef"],
  ["nothing is listed yet", "", "ab", "ab"],
])("of what was listed and shown: %s", (_, listed, shown, expected) => {
  const entriesOf = (names: string) => Array.from(names, (name) => entry(name, name.charCodeAt(0)))

  const entries = joined(entriesOf(listed), entriesOf(shown))

  expect(entries.map(({ name }) => name).join("")).toBe(expected)
})

test("a report of another epoch is the newest, whatever was shown before", () => {
  const client = new FakeClient()
  const store = makeStore(client)
  const shown = [entry("old.json", 7), entry("1.json", 9)]
  client.snapshot(audit({ nas: "clean" }))

  const now = withShown(shown, store.getView())

  expect(now.map(({ name, offset }) => [name, offset])).toEqual([["1.json", 1]])
  expect(withShown(now, store.getView())).toBe(now)
  expect(joined(shown, now).map(({ name }) => name)).toEqual(["old.json", "1.json", "1.json"])
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
