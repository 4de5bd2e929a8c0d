// @vitest-environment happy-dom
import { expect, test } from "vitest"
import { diagnosticsOf } from "../../src/state/diagnostics.ts"
import { audit, FakeClient, LIVE } from "../support/fake-client.ts"

test("what is copied for others tells how it stands, and no token", () => {
  history.replaceState(null, "", "/?access_token=secret&channel=x#/clients")
  const client = new FakeClient()
  client.become(LIVE)
  client.snapshot(audit({ nas: "clean" }))

  const told = diagnosticsOf(client)

  expect(told).toMatch(/page: \S+\/\n/)
  expect(told).toContain('connection: {"kind":"live"')
  expect(told).toContain("12:00:00 opened")
  expect(told).not.toContain("secret")
})
