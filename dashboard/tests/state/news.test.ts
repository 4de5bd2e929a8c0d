import { expect, test, vi } from "vitest"
import { tellNews } from "../../src/state/news.ts"
import { makeStore } from "../../src/state/store.ts"
import { makeToasts } from "../../src/state/toasts.ts"
import { audit, FakeClient } from "../support/fake-client.ts"

test("the toast of a change leads to that repository, also where others have its name", () => {
  vi.useFakeTimers()
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
  vi.useRealTimers()
})
