import { expect, test } from "vitest"
import type { Gateway } from "../../src/state/gateway.ts"
import { makeShelf } from "../../src/state/shelf.ts"
import { audit } from "../support/fake-client.ts"

test("of past reports, which may be of megabytes, the last eight are kept", async () => {
  const shelf = makeShelf({ getJson: async () => audit({ nas: "clean" }) } as unknown as Gateway)
  const names = Array.from({ length: 9 }, (_, at) => `${at}.json`)
  for (const name of names) await shelf.fetch(name, AbortSignal.timeout(1000))

  expect(names.filter((name) => !shelf.peek(name))).toEqual(["0.json"])
})
