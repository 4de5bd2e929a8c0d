import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { tellNews } from "../../src/state/news.ts"
import { makeStore } from "../../src/state/store.ts"
import { makeToasts } from "../../src/state/toasts.ts"
import { audit, FakeClient } from "../support/fake-client.ts"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test("changes are told in one toast at a time, and a notice each: what comes meanwhile is told after it", () => {
  const [client, toasts, notify] = [new FakeClient(), makeToasts(), vi.fn()]
  const texts = () => toasts.list().map(({ text }) => text)
  client.snapshot(audit({ nas: "clean", wiki: "clean" }))
  tellNews(makeStore(client), toasts, notify)

  client.snapshot(audit({ nas: "dirty", wiki: "clean" }))
  vi.advanceTimersByTime(1_000)
  client.snapshot(audit({ nas: "dirty", wiki: "missing" }))
  client.snapshot(audit({ nas: "clean", wiki: "missing" }))
  vi.advanceTimersByTime(6_900)
  expect(texts()).toEqual(["nas: clean → dirty"])
  vi.advanceTimersByTime(1_100)
  expect(texts()).toEqual(["2 repositories changed: 1 missing, 1 clean"])
  expect(notify).toHaveBeenCalledTimes(2)

  vi.advanceTimersByTime(20_000)
  client.snapshot(audit({ nas: "dirty", wiki: "missing" }))
  vi.advanceTimersByTime(1_000)
  expect(toasts.list()).toMatchObject([{ text: "nas: clean → dirty", href: "#/repositories/nas" }])
})

test("what comes and goes meanwhile is no news, and what comes to something is told as that", () => {
  const [client, toasts, notify] = [new FakeClient(), makeToasts(), vi.fn()]
  client.snapshot(audit({ nas: "clean", wiki: "clean" }))
  tellNews(makeStore(client), toasts, notify)

  client.snapshot(audit({ nas: "dirty", wiki: "clean" }))
  client.snapshot(audit({ nas: "clean", wiki: "dirty" }))
  client.snapshot(audit({ nas: "clean", wiki: "missing" }))
  vi.advanceTimersByTime(1_000)

  expect(toasts.list().map(({ text }) => text)).toEqual(["wiki: clean → missing"])
})

test("a toast stays as long as somebody is at it", () => {
  const toasts = makeToasts()
  toasts.add({ tone: "note", text: "nas: clean → dirty" })
  const [toast] = toasts.list()
  vi.advanceTimersByTime(6_000)
  toasts.hold(toast?.id ?? 0)
  vi.advanceTimersByTime(60_000)
  expect(toasts.list()).toHaveLength(1)

  toasts.release(toast?.id ?? 0)
  vi.advanceTimersByTime(7_000)
  expect(toasts.list()).toHaveLength(0)
})

test("the toast of a change leads to that repository, also where others have its name", () => {
  const [client, toasts] = [new FakeClient(), makeToasts()]
  const twins = (status: string) => ({
    ...audit({}),
    repos: ["clean", status].map((each) => ({ name: "nas", status: each })),
  })
  client.snapshot(twins("clean"))
  tellNews(makeStore(client), toasts, () => undefined)

  client.snapshot(twins("dirty"))
  vi.advanceTimersByTime(1_000)

  expect(toasts.list()).toMatchObject([{ text: "nas: clean → dirty", href: "#/repositories/nas?n=2" }])
})

test("of a report that is no audit it is told that it changed", () => {
  const [client, toasts] = [new FakeClient(), makeToasts()]
  tellNews(makeStore(client), toasts, () => undefined)
  client.snapshot({ records: 1 })
  vi.advanceTimersByTime(2_000)
  expect(toasts.list()).toEqual([])

  client.snapshot({ records: 2 })
  vi.advanceTimersByTime(1_000)
  expect(toasts.list()).toMatchObject([{ text: "The report changed" }])
})
