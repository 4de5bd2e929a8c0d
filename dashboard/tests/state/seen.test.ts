import { afterEach, beforeEach, expect, test, vi } from "vitest"
import type { Gateway } from "../../src/state/gateway.ts"
import { keepSeen } from "../../src/state/seen.ts"
import { makeStore } from "../../src/state/store.ts"
import { audit, FakeClient, LIVE } from "../support/fake-client.ts"

const kept = new Map<string, string>()
const page = { visibilityState: "visible", addEventListener() {}, removeEventListener() {} } as unknown as Document

beforeEach(() => {
  kept.clear()
  vi.stubGlobal("localStorage", {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
  })
})
afterEach(() => vi.unstubAllGlobals())

/** Open the page; what it asks for of the history is `past`. */
async function visit(past: unknown) {
  const client = new FakeClient()
  const store = makeStore(client)
  const end = keepSeen(store, { channel: undefined, getJson: async () => past } as unknown as Gateway, page)
  client.become(LIVE)
  client.snapshot(audit({ a: "dirty" }))
  await vi.waitFor(() => Promise.resolve())
  return { store, end }
}

test("a glance does not count as having looked: what changed meanwhile is told on the next visit, too", async () => {
  kept.set("reportcast.seen.", JSON.stringify({ name: "before.json", at: 5 }))
  for (const _ of ["first", "second"]) {
    const { store, end } = await visit(audit({ a: "clean" }))

    expect(store.getView().unseen).toMatchObject([{ name: "a", from: "clean", to: "dirty" }])
    expect(JSON.parse(kept.get("reportcast.seen.") ?? "")).toEqual({ name: "before.json", at: 5 })
    end()
  }
})

test("who says so has looked", async () => {
  kept.set("reportcast.seen.", JSON.stringify({ name: "before.json", at: 5 }))
  const { store } = await visit(audit({ a: "clean" }))

  store.markSeen()

  expect(JSON.parse(kept.get("reportcast.seen.") ?? "").name).toBe(store.getView().name)
})
