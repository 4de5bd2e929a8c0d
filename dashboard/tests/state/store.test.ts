import { expect, test } from "vitest"
import { fieldChanges, summaryOf } from "../../src/state/changes.ts"
import { makeStore } from "../../src/state/store.ts"
import { dataAt, NOTHING } from "../../src/state/view.ts"
import { nameWords } from "../../src/state/words.ts"
import { audit, FakeClient, LIVE } from "../support/fake-client.ts"

const DIRTY = { format: "repos", changed: [{ at: 1, name: "b", from: "clean", to: "dirty", set: { status: "dirty" } }] }

function opened() {
  const client = new FakeClient()
  const store = makeStore(client)
  client.become(LIVE)
  client.snapshot(audit({ a: "clean", b: "clean" }))
  return { client, store }
}

test("a report that is not what its digest says is marked, until another one comes", () => {
  const client = new FakeClient()
  const store = makeStore(client)
  client.become(LIVE)
  client.snapshot(audit({ nas: "clean" }))
  expect(store.getView().stale).toBe(false)

  client.verified(false)
  expect(store.getView()).toMatchObject({ stale: true, staleReason: expect.stringContaining("its digest") })
  client.snapshot(audit({ nas: "dirty" }))
  expect(store.getView().stale).toBe(false)
})

test("a change is told with what was before, and what did not change stays the same object", () => {
  const { client, store } = opened()
  const before = store.getView().report

  client.delta(DIRTY)

  const { report, previous, changes } = store.getView()
  expect(previous).toBe(before)
  expect(report?.repos[0]).toBe(before?.repos[0])
  expect(changes).toMatchObject([{ name: "b", kind: "status", from: "clean", to: "dirty" }])
  expect(report?.counts).toEqual([
    ["total", 2],
    ["clean", 1],
    ["dirty", 1],
  ])
})

test("a lost connection clears nothing; it makes what is shown stale", () => {
  const { client, store } = opened()
  const { report } = store.getView()

  client.become({ kind: "offline", since: 0, reason: "The gateway does not answer.", attempt: 1, retryAt: 0 })

  expect(store.getView()).toMatchObject({ stale: true, staleReason: "The gateway does not answer." })
  expect(store.getView().report).toBe(report)
})

test("what changed since the person looked is the difference, however many reports it took", () => {
  const { client, store } = opened()

  client.delta(DIRTY)
  client.snapshot(audit({ a: "missing", b: "clean", c: "extra" }))

  expect(summaryOf(store.getView().unseen)).toBe("2 repositories changed: 1 missing, 1 extra")
  store.markSeen()
  expect(store.getView().unseen).toEqual([])
})

test("what was looked at on an earlier visit is what changes are told from", () => {
  const { store } = opened()

  store.resumeSeen(audit({ a: "dirty", b: "clean", gone: "clean" }), 5)

  expect(store.getView().seenAt).toBe(5)
  expect(store.getView().unseen).toMatchObject([
    { name: "a", from: "dirty", to: "clean" },
    { name: "gone", kind: "removed" },
  ])
})

test("a report that is no audit report is kept as it is, and an audit report can follow it", () => {
  const { client, store } = opened()

  client.snapshot([1, { two: 2 }])
  expect(store.getView()).toMatchObject({ report: null, generic: [1, { two: 2 }] })

  client.snapshot(audit({ a: "clean" }))
  expect(store.getView().generic).toBeUndefined()
  expect(store.getView().report?.repos).toHaveLength(1)
})

test("of what changed the differing fields are kept, and of reports that change much not many", () => {
  const { client, store } = opened()
  const size = 3_000
  const all = (status: string) => Object.fromEntries(Array.from({ length: size }, (_, at) => [`repo ${at}`, status]))

  for (let nth = 0; nth < 10; nth++) client.snapshot(audit(all(nth % 2 ? "clean" : "dirty")))

  const { log } = store.getView()
  const [change] = log[0]?.changes ?? []
  expect(log.length).toBe(6)
  expect(log[0]?.changes.length).toBe(size)
  expect(change?.after?.fields).toEqual({ status: "clean" })
  expect(change && fieldChanges(change)).toEqual([{ name: "status", before: "dirty", after: "clean" }])
})

test.each([
  ["the report's own time", 5, 9, 5],
  ["the file's, where that is older", 9, 5, 5],
  ["the file's, where the report has none that can be read", Number.NaN, 9, 9],
])("data is as old as %s", (_, reportedAt, modifiedAt, found) => {
  const { store } = opened()
  const { report } = store.getView()

  expect(dataAt({ ...NOTHING, report: report && { ...report, reportedAt }, modifiedAt })).toBe(found)
})

test("the course is told as it was published, also of a report that is dated years back", () => {
  const { client, store } = opened()

  client.snapshot({ ...audit({ a: "missing" }), timestamp: "2020-01-01T00:00:00Z" })

  expect(store.getView().trail.at(-1)?.counts).toMatchObject({ missing: 1 })
})

test("the course ends in the present counts, also where a report of before is back", () => {
  const { client, store } = opened()
  for (const [minute, status] of ["clean", "dirty", "missing", "clean"].entries())
    client.snapshot(audit({ a: status }, { timestamp: `2026-11-23T13:0${minute % 3}:00Z` }))

  expect(store.getView().trail.at(-1)?.counts).toMatchObject({ total: 1, clean: 1 })
})

test("the report before is one that was shown, and not one from before a gap", () => {
  const { client, store } = opened()
  const before = store.getView().report
  client.snapshot(audit({ a: "dirty" }))
  expect(store.getView().previous).toBe(before)

  client.snapshot(audit({ a: "missing" }), [], { offset: 9 })

  expect(store.getView().previous).toBeNull()
})

test("what a page remembers that is open for weeks has its bounds", () => {
  const client = new FakeClient()
  const store = makeStore(client)
  for (let change = 0; change < 250; change++)
    client.snapshot(audit({ nas: `s${change}`, wiki: "clean" }, { timestamp: new Date(change * 1000).toISOString() }))
  expect(store.getView().log).toHaveLength(200)
  expect(store.getView().trail).toHaveLength(240)

  const many = (status: string) => Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`r${at}`, status]))
  for (let change = 0; change < 6; change++) client.snapshot(audit(many(`s${change}`)))
  expect(store.getView().log.reduce((sum, { changes }) => sum + changes.length, 0)).toBeLessThanOrEqual(20_000)
})

test("a name is told as it is, but for what would hide or turn it", () => {
  expect(nameWords("")).toBe("(no name)")
  for (const name of ["nas", "Ünï 🎉", "👩‍💻 👨🏽‍🌾 ❤️‍🔥", "می‌خواهم", "क्‍ष"]) expect(nameWords(name)).toBe(name)
  for (const char of "\u202e\u200b\u200c\u200d\u2028\u034f\u0007") expect(nameWords(`a${char}b`)).toBe("a\ufffdb")
})
