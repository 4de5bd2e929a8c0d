import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { tellNews } from "../../src/state/news.ts"
import { makeStore } from "../../src/state/store.ts"
import { makeToasts } from "../../src/state/toasts.ts"
import { audit, FakeClient } from "../support/fake-client.ts"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test("changes that follow each other are one toast, and a notice each", () => {
  const [client, toasts, notify] = [new FakeClient(), makeToasts(), vi.fn()]
  client.snapshot(audit({ nas: "clean", wiki: "clean" }))
  tellNews(makeStore(client), toasts, notify)

  client.snapshot(audit({ nas: "dirty", wiki: "clean" }))
  vi.advanceTimersByTime(3_000)
  client.snapshot(audit({ nas: "dirty", wiki: "missing" }))
  vi.advanceTimersByTime(1_000)
  expect(toasts.list().map(({ text }) => text)).toEqual(["2 repositories changed: 1 dirty, 1 missing"])
  expect(notify.mock.calls).toEqual([["nas: clean → dirty"], ["wiki: clean → missing"]])

  vi.advanceTimersByTime(7_000)
  expect(toasts.list()).toEqual([])
  client.snapshot(audit({ nas: "clean", wiki: "missing" }))
  vi.advanceTimersByTime(1_000)
  expect(toasts.list()).toMatchObject([{ text: "nas: dirty → clean", href: "#/repositories/nas" }])
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
