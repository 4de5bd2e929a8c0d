import { afterEach, beforeEach, expect, test, vi } from "vitest"

beforeEach(() => void vi.resetModules())
afterEach(() => void vi.unstubAllGlobals())

/** The module in a browser whose pages can make notifications, or cannot; and what was made. */
async function browser(permission: NotificationPermission, isPossible: boolean) {
  const made: string[] = []
  class Stub {
    static permission = permission
    constructor(title: string) {
      if (!isPossible) throw new TypeError("Illegal constructor")
      made.push(title)
    }
  }
  vi.stubGlobal("Notification", Stub)
  vi.stubGlobal("document", { hidden: true })
  return { made, ...(await import("../../src/state/notification.ts")) }
}

test.each([true, false])(
  "whether a page can notify at all (%s) is known before it is permitted",
  async (isPossible) => {
    const { canNotify } = await browser("default", isPossible)

    expect(canNotify()).toBe(isPossible)
  },
)

test("an attempt that fails is no error, and the last", async () => {
  const { canNotify, notify } = await browser("granted", false)

  notify("nas: dirty")

  expect(canNotify()).toBe(false)
})

test("where it is permitted, nothing is shown before there is news", async () => {
  const { made, canNotify, notify } = await browser("granted", true)
  expect([canNotify(), made]).toEqual([true, []])

  notify("nas: dirty")
  expect(made).toEqual(["Reportcast"])

  vi.stubGlobal("document", { hidden: false })
  notify("nas: clean")
  expect(made).toHaveLength(1)
})
