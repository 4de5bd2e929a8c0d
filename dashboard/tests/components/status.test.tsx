// @vitest-environment happy-dom
import { act } from "@testing-library/react"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { useGatewayStatus } from "../../src/hooks/use-gateway-status.ts"
import { renderShared } from "../support/render.tsx"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function Server() {
  return useGatewayStatus()?.server
}

test("how the service fares is asked for soon, and once for all news of half a minute", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0.99)
  const ask = vi.fn(async () => Response.json({ server: "reportcast-1" }))
  const { client, container } = renderShared(<Server />, undefined, ask)
  await act(() => vi.advanceTimersByTimeAsync(1_000))
  expect(container.textContent).toBe("reportcast-1")

  for (let at = 0; at < 29; at++) {
    client.status({ state: at % 2 ? "current" : "overdue" })
    await vi.advanceTimersByTimeAsync(1_000)
  }
  expect(ask).toHaveBeenCalledTimes(1)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(ask).toHaveBeenCalledTimes(2)
  vi.restoreAllMocks()
})
