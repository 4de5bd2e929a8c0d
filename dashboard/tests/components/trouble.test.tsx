// @vitest-environment happy-dom
import { act, screen } from "@testing-library/react"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { App } from "../../src/app.tsx"
import type { ConnectionState } from "../../src/client/index.ts"
import { audit, type FakeClient, LIVE } from "../support/fake-client.ts"
import { renderShared } from "../support/render.tsx"

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function open() {
  return renderShared(<App />, (client: FakeClient) => {
    client.become(LIVE)
    client.snapshot(audit({ nas: "dirty" }))
  })
}

const OFFLINE: ConnectionState = { kind: "offline", since: 0, reason: "Gone.", attempt: 1, retryAt: 0 }
const ATTEMPT: ConnectionState = { kind: "connecting", transport: "websocket", attempt: 2, since: 0 }

test("a lost connection is told in one place once it lasts, and stays while attempts come and go", () => {
  const { client } = open()
  const told = () => screen.queryByRole("region", { name: "No connection" })?.textContent

  act(() => client.become(OFFLINE))
  act(() => vi.advanceTimersByTime(1_900))
  expect(told()).toBeUndefined()
  expect(screen.queryByText(/may be out of date/)).toBeNull()
  act(() => vi.advanceTimersByTime(200))
  expect(told()).toMatch(/Not connected: gone\..*What is shown is what came at/)
  expect(screen.getAllByText(/gone\./i, { selector: "main *" })).toHaveLength(1)

  act(() => client.become(ATTEMPT))
  expect(told()).toMatch(/Not connected: gone\./)
  expect(screen.getByRole("button", { name: /details of the connection/ }).textContent).toMatch(/^Offline/)
  act(() => client.become(LIVE))
  expect(told()).toBeUndefined()

  act(() => client.become(ATTEMPT))
  act(() => vi.advanceTimersByTime(2_100))
  expect(told()).toMatch(/Not connected: the gateway does not answer\./)
})

test("an outage is one, whatever its attempts end by", () => {
  const { client } = open()
  const told = () => screen.queryByRole("region", { name: "No connection" })?.textContent
  act(() => client.become(OFFLINE))
  act(() => vi.advanceTimersByTime(2_100))

  for (const reason of ["No gateway answers.", "The WebSocket does not get through."]) {
    act(() => client.become({ ...OFFLINE, reason }))
    act(() => vi.advanceTimersByTime(5_000))
    expect(told()).toMatch(/Not connected: gone\./)
    expect(announced()).toEqual(["Connection: Offline. Gone."])
  }
  act(() => client.become({ kind: "stopped", code: "unauthorized", reason: "A token is needed." }))
  act(() => vi.advanceTimersByTime(5_000))
  expect(announced()).toEqual(["Connection: Stopped. A token is needed."])
})

const announced = () =>
  screen
    .getAllByRole("status")
    .map(({ textContent }) => textContent)
    .filter(Boolean)

test("trouble is announced by one region, once", () => {
  const { client } = open()
  for (const connection of [OFFLINE, ATTEMPT, OFFLINE, ATTEMPT]) {
    act(() => client.become(connection))
    act(() => vi.advanceTimersByTime(2_000))
    act(() => vi.advanceTimersByTime(100))
    expect(announced()).toEqual(["Connection: Offline. Gone."])
  }
})
