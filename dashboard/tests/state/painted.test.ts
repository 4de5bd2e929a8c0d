// @vitest-environment happy-dom
import { expect, test } from "vitest"
import type { Gateway } from "../../src/state/gateway.ts"
import { measurePaints } from "../../src/state/painted.ts"
import { makeStore } from "../../src/state/store.ts"
import { audit, FakeClient, LIVE } from "../support/fake-client.ts"

const HOPS = { hops_ms: { detect: 1 } }

function page() {
  const client = new FakeClient()
  const store = makeStore(client)
  const posted: object[] = []
  const gateway = { post: (_: string, body: object) => void posted.push(body) } as unknown as Gateway
  const latencies = measurePaints(store, { gateway, share: () => 1, afterPaint: (done) => done(Date.now()) })
  client.become(LIVE)
  return { client, latencies, posted }
}

test("what was there when the page was opened, and what comes after a gap or of another epoch, was not painted late", () => {
  const { client, latencies, posted } = page()
  client.snapshot(audit({ nas: "clean" }), [], HOPS)
  client.snapshot(audit({ nas: "dirty" }), [], { ...HOPS, offset: 7 })
  client.snapshot(audit({ nas: "clean" }), [], { ...HOPS, offset: 8, epoch: "another" })

  expect([latencies.get(), posted]).toEqual([null, []])
})

test("a change that follows is measured, and told to the gateway", () => {
  const { client, latencies, posted } = page()
  client.snapshot(audit({ nas: "clean" }), [], HOPS)
  client.snapshot(audit({ nas: "dirty" }), [], HOPS)

  expect(latencies.get()).toMatchObject({ offset: 2 })
  expect(posted).toMatchObject([{ channel: "audit", offset: 2 }])
})

test("the last hundred are remembered", () => {
  const { client, latencies } = page()
  for (let change = 0; change < 103; change++) client.snapshot(audit({ nas: String(change) }), [], HOPS)

  expect(latencies.recent().size).toBe(100)
})
