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
    timestamp: timeOf(name),
    modifiedAt: null,
    health: null,
    summary: { total: Number.parseInt(name, 10) },
  }
}

/** A store with a report, and what was asked for of a gateway that has not all that it lists. */
function opened(missing: readonly string[] = []) {
  const asked: string[] = []
  const gateway = makeGateway("http://gateway.test/", { channel: undefined, token: undefined }, (async ({
    pathname,
  }: URL) => {
    asked.push(pathname)
    if (pathname === "/api/history") return Response.json(NAMES.map(outline))
    const name = pathname.replace("/audit/history/", "")
    if (missing.includes(name)) return new Response("{}", { status: 503 })
    return Response.json({ ...audit({ nas: `state ${Number.parseInt(name, 10)}` }), timestamp: timeOf(name) })
  }) as unknown as typeof fetch)
  const client = new FakeClient()
  const store = makeStore(client)
  const past = recallPast(store, gateway)
  client.snapshot({ ...audit({ nas: "dirty" }), timestamp: "2026-11-23T12:59:00Z" })
  return { store, past, asked }
}

const stepsIn = ({ getView }: ReturnType<typeof makeStore>) => getView().past.map(({ name }) => name)

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
  expect(asked).toHaveLength(7)

  past.more()
  past.more()
  await vi.waitFor(() => expect(stepsIn(store)).toHaveLength(23))
  expect(asked).toHaveLength(7 + 24)
})

test("reports are not compared across one that could not be had", async () => {
  const { store } = opened(["28.json"])

  await vi.waitFor(() => expect(stepsIn(store)).toEqual(["30.json", "27.json", "26.json"]))
})
