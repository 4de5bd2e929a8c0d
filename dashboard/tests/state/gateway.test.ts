import { expect, test } from "vitest"
import { makeGateway, pathOfReport } from "../../src/state/gateway.ts"

test("what is asked for is of the channel that is followed, once that is known", () => {
  let channel = ""
  const gateway = makeGateway("http://gateway.test/a/", { channel: () => channel, token: "secret" })
  expect(gateway.address("api/history")).toBe("http://gateway.test/a/api/history?access_token=secret")

  channel = "audit"

  expect(gateway.address("api/history")).toBe("http://gateway.test/a/api/history?channel=audit&access_token=secret")
})

test.each(["..", ".", "a/../b?c#d", "2026-11-28T10:00:00Z.json"])("the path of %j is of no other endpoint", (name) => {
  const { pathname } = new URL(pathOfReport(name), "http://gateway.test/a/")

  expect(pathname).toMatch(/^\/a\/audit\/history\/[^/]+$/)
})
