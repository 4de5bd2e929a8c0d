import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { readHistory } from "../../src/state/history.ts"
import { readReport } from "../../src/state/report.ts"

beforeEach(() => void vi.stubEnv("TZ", "Asia/Kolkata"))
afterEach(() => void vi.unstubAllEnvs())

test.each([
  "2026-11-23T12:00:00",
  "2026-11-23T12:00:00.000000",
  "2026-11-23 12:00",
  "2026-11-23T12:00:00Z",
  "2026-11-23T14:00:00+02:00",
])("%s is noon in UTC, wherever the browser is", (timestamp) => {
  const noon = Date.UTC(2026, 10, 23, 12)

  expect(new Date(noon).getHours()).toBe(17)
  expect(readReport({ timestamp, repos: [] }, null, 0).reportedAt).toBe(noon)
  expect(readHistory([{ name: "a", timestamp }])[0]?.at).toBe(noon)
})
