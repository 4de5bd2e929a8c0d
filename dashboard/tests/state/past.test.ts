import { expect, test, vi } from "vitest"
import { makeGateway } from "../../src/state/gateway.ts"
import { recallPast } from "../../src/state/past.ts"
import { makeStore } from "../../src/state/store.ts"
import { audit, FakeClient } from "../support/fake-client.ts"

const KEPT = 30
/** Newest first, as the gateway lists them; each has one repository in another state than the one before. */
const NAMES = Array.from({ length: KEPT }, (_, nth) => `${KEPT - nth}.json`)

const timeOf = (name: string) => `2026-11-23T12:${String(Number.parseInt(name, 10)).padStart(2, "0")}:00Z`

function outline(name: string) {
  return {
    name,
    epoch: "before",
    offset: Number.parseInt(name, 10),
    timestamp: timeOf(name),
    modifiedAt: null,
    health: null,
    summary: { total: Number.parseInt(name, 10) },
  }
}

/** A store with a report, and what was asked for of a gateway that refuses what is in `missing`. */
function opened({ missing = [] as string[], length = 0 } = {}) {
  const asked: string[] = []
  const gateway = makeGateway("http://gateway.test/", { channel: () => undefined, token: undefined }, (async ({
    pathname,
  }: URL) => {
    asked.push(pathname)
    const name = pathname.replace(/^\/(audit|api)\//, "").replace("history/", "")
    if (missing.includes(name)) return Response.json({ error: "there is no Redis" }, { status: 503 })
    if (name === "history") return Response.json(NAMES.map(outline))
    return Response.json({ ...audit({ nas: `state ${Number.parseInt(name, 10)}` }), timestamp: timeOf(name) })
  }) as unknown as typeof fetch)
  const client = new FakeClient()
  const store = makeStore(client)
  const past = recallPast(store, gateway)
  const publish = () => client.snapshot({ ...audit({ nas: "dirty" }, { note: "x".repeat(length) }), timestamp: NOW })
  publish()
  return { store, past, asked, missing, publish }
}

const NOW = "2026-11-23T12:59:00Z"
const stepsIn = ({ getView }: ReturnType<typeof makeStore>) =>
  getView().past.steps.map(({ id }) => id.replace(/^before:(\d+)$/, "$1.json"))

test("the counts come in one answer, and reports are had few until more are wanted", async () => {
  const { store, past, asked } = opened()

  await vi.waitFor(() => expect(stepsIn(store)).toEqual(["30.json", "29.json", "28.json", "27.json", "26.json"]))
  expect(
    store
      .getView()
      .trail.map(({ counts }) => counts.total)
      .slice(0, 3),
  ).toEqual([7, 8, 9])
  expect(store.getView().trail).toHaveLength(25)
  expect(store.getView().past).toMatchObject({ reports: 6, reason: null })
  expect(asked).toHaveLength(1 + 6)

  past.more()
  past.more()
  await vi.waitFor(() => expect(stepsIn(store)).toHaveLength(23), 3_000)
  expect(asked).toHaveLength(1 + 24)
})

test("reports are not compared across one that could not be had, which is asked for again", async () => {
  const { store, missing, asked, publish } = opened({ missing: ["28.json"] })

  await vi.waitFor(() => expect(stepsIn(store)).toEqual(["30.json", "27.json", "26.json"]))
  expect(store.getView().past).toMatchObject({ reports: null, reason: "there is no Redis" })

  missing.pop()
  publish()
  await vi.waitFor(() => expect(store.getView().past.reports).toBe(6), 3_000)
  expect(stepsIn(store)).toHaveLength(5)
  expect(asked).toHaveLength(1 + 6 + 1)
})

test("what is not known is said to be, until the gateway tells it", async () => {
  const { store, missing, publish } = opened({ missing: ["history"] })
  expect(store.getView().past).toMatchObject({ reports: null, reason: null })

  await vi.waitFor(() => expect(store.getView().past.reason).toBe("there is no Redis"))

  missing.pop()
  publish()
  await vi.waitFor(() => expect(store.getView().past).toMatchObject({ reports: 6, reason: null }), 3_000)
})

test.each([
  [140_000, { reports: 4, reason: null }],
  [400_000, { reports: null, reason: "reports as long as these are not read for it" }],
])("of reports of %i characters fewer are read, and who reads none says so", async (length, expected) => {
  const { store } = opened({ length })

  await vi.waitFor(() => expect(store.getView().past).toMatchObject(expected))
})
