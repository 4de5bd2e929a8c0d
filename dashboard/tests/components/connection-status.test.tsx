// @vitest-environment happy-dom
import { act, screen } from "@testing-library/react"
import { userEvent } from "@testing-library/user-event"
import { expect, test, vi } from "vitest"
import { Announcer } from "../../src/components/announcer.tsx"
import { ConnectionStatus } from "../../src/components/connection-status.tsx"
import { LIVE } from "../support/fake-client.ts"
import { renderShared } from "../support/render.tsx"

test("the state is a word, not a colour alone, and says how old the data is", () => {
  const { client } = renderShared(<ConnectionStatus />)
  const button = () => screen.getByRole("button", { name: /details of the connection/ })
  expect(button().textContent).toContain("Connecting")

  act(() => client.become(LIVE))
  act(() => client.snapshot({ timestamp: "t", repos: [] }))

  expect(button().textContent).toMatch(/Live.*data 0 s old/)
})

test("who is offline is told why and when it goes on, and need not wait", async () => {
  const { client } = renderShared(<ConnectionStatus />)
  const reason = "The gateway does not answer."

  act(() => client.become({ kind: "offline", since: 0, reason, attempt: 3, retryAt: Date.now() + 9_000 }))
  await userEvent.click(screen.getByRole("button", { name: "Try now", hidden: true }))

  expect(screen.getByText(reason)).toBeDefined()
  expect(screen.getByText(/Next attempt in [89] s/)).toBeDefined()
  expect(client.asked).toEqual(["try now"])
})

test.each([
  [{ state: "live" }, { stale: true, reasons: ["the broker is not connected"] }, "Stale", /lost its broker \(Redis\)/],
  [{ state: "overdue" }, { reasons: ["the report is overdue"] }, "Overdue", "Connected, but the report is overdue."],
  [
    { state: "rejected" },
    { reasons: ["it is not served: empty"] },
    "Rejected",
    "Connected, but it is not served: empty.",
  ],
  [{ state: "live" }, { reasons: ["no watcher is heard"] }, "Degraded", "Connected, but no watcher is heard."],
  [{ state: "live" }, {}, "Live", "Changes appear here as they happen."],
])("who is connected to what is not well is not told to be live: %j %j", (source, more, word, sentence) => {
  const { client } = renderShared(<ConnectionStatus />)
  act(() => client.become(LIVE))

  act(() => client.status(source, more))

  expect(screen.getByRole("button", { name: /details of the connection/ }).textContent).toMatch(new RegExp(`^${word}`))
  expect(screen.getByText(sentence)).toBeDefined()
})

test("real-time off is remembered, with its interval", async () => {
  const { preferences } = renderShared(<ConnectionStatus />)

  await userEvent.click(screen.getByRole("switch", { name: "Real-time", hidden: true }))
  await userEvent.selectOptions(screen.getByRole("combobox", { hidden: true }), "60")

  expect(preferences.get().mode).toEqual({ live: false, everyS: 60 })
  expect(localStorage.getItem("reportcast.preferences")).toContain('"everyS":60')
})

test("the word switches as its switch does", async () => {
  const { preferences } = renderShared(<ConnectionStatus />)

  await userEvent.click(screen.getByText("Real-time"))

  expect(preferences.get().mode.live).toBe(false)
})

test("a screen reader is told of what lasts, in a region that was there before", () => {
  vi.useFakeTimers()
  const { client } = renderShared(<Announcer />)
  const region = screen.getByRole("status")
  const offline = { kind: "offline", since: 0, reason: "No network.", attempt: 1, retryAt: 0 } as const

  act(() => client.become(offline))
  act(() => vi.advanceTimersByTime(1_000))
  act(() => client.become(LIVE))
  act(() => vi.advanceTimersByTime(2_000))
  expect(region.textContent).toBe("")

  act(() => vi.advanceTimersByTime(1_000))
  expect(region.textContent).toBe("Connection: Live")
  vi.useRealTimers()
})
