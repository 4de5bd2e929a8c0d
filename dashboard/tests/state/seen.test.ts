import { afterEach, beforeEach, expect, test, vi } from "vitest"
import type { Gateway } from "../../src/state/gateway.ts"
import { keepSeen } from "../../src/state/seen.ts"
import { makeStore } from "../../src/state/store.ts"
import { audit, FakeClient, LIVE } from "../support/fake-client.ts"

const ROOT = "http://gateway.test/a/"
const MEMORY = `reportcast.seen ${ROOT} audit`
const kept = new Map<string, string>()
const page = Object.assign(new EventTarget(), { visibilityState: "visible" }) as unknown as Document

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
  const end = keepSeen(store, { root: ROOT, getJson: async () => past } as unknown as Gateway, page)
  client.become(LIVE)
  client.snapshot(audit({ a: "dirty" }))
  await vi.waitFor(() => Promise.resolve())
  return { store, end }
}

test("a glance does not count as having looked: what changed meanwhile is told on the next visit, too", async () => {
  kept.set(MEMORY, JSON.stringify({ name: "before.json", at: 5 }))
  for (const _ of ["first", "second"]) {
    const { store, end } = await visit(audit({ a: "clean" }))

    expect(store.getView().unseen).toMatchObject([{ name: "a", from: "clean", to: "dirty" }])
    expect(JSON.parse(kept.get(MEMORY) ?? "")).toEqual({ name: "before.json", at: 5 })
    end()
  }
})

function show(visibilityState: DocumentVisibilityState): void {
  Object.assign(page, { visibilityState })
  page.dispatchEvent(new Event("visibilitychange"))
}

test("who leaves the page has looked, if it was to be seen for five seconds", async () => {
  vi.useFakeTimers()
  kept.set(MEMORY, JSON.stringify({ name: "before.json", at: 5 }))
  const { store, end } = await visit(audit({ a: "clean" }))
  for (const ms of [4_900, 4_900]) {
    vi.advanceTimersByTime(ms)
    show("hidden")
    expect(store.getView().unseen).toHaveLength(1)
    vi.advanceTimersByTime(60_000)
    show("visible")
  }

  vi.advanceTimersByTime(5_000)
  show("hidden")
  expect(store.getView().unseen).toEqual([])
  expect(JSON.parse(kept.get(MEMORY) ?? "").name).toBe("1.json")
  end()
  show("visible")
  vi.useRealTimers()
})

test("who says so has looked", async () => {
  kept.set(MEMORY, JSON.stringify({ name: "before.json", at: 5 }))
  const { store } = await visit(audit({ a: "clean" }))

  store.markSeen()

  expect(JSON.parse(kept.get(MEMORY) ?? "").name).toBe(store.getView().name)
})

test.each([
  ["nothing", "null"],
  ["a number", "5"],
  ["no moment", '{"name":"before.json"}'],
  ["a word for one", '{"name":"before.json","at":"abc"}'],
  ["one that is none", '{"name":"before.json","at":1e300}'],
  ["no name", '{"name":[],"at":5}'],
])("what is remembered of another version of the page is of no account: %s", async (_, text) => {
  kept.set(MEMORY, text)

  const { store } = await visit(audit({ a: "clean" }))

  expect(store.getView()).toMatchObject({ unseen: [], seenAt: null })
  expect(JSON.parse(kept.get(MEMORY) ?? "").name).toBe("1.json")
})

test("a report that cannot be had any more is what this visit begins with", async () => {
  kept.set(MEMORY, JSON.stringify({ name: "before.json", at: 5 }))

  const { store } = await visit(Promise.reject(new SyntaxError("<!doctype html>")))

  expect(store.getView()).toMatchObject({ unseen: [], seenAt: null })
})
