// @vitest-environment happy-dom
import { act, screen, within } from "@testing-library/react"
import { expect, test } from "vitest"
import Latency from "../../src/pages/latency.tsx"
import { audit, type FakeClient } from "../support/fake-client.ts"
import { PAINTS, renderShared } from "../support/render.tsx"

function change(offset: number, relay: number) {
  const hopsMs = { detect: 3, settle: 1, publish: 1, relay, prepare: 0.5, write: 0.5 }
  const clocks = { epoch: "e", modifiedAt: "2026-11-23T11:58:00.005Z", uncertaintyMs: 0.5 }
  return { ...clocks, offset, name: `${offset}.json`, hopsMs, ageMs: 6 + relay, clients: 2, painted: [] }
}

function open(changes: object[]) {
  const answer = async () => Response.json({ clocks: {}, paintSample: 0, workers: { asked: 2, answered: 1 }, changes })
  location.hash = "#/latency"
  return renderShared(<Latency />, (client: FakeClient) => client.snapshot(audit({ nas: "clean" })), answer)
}

test("a hop that is negative, how wrong it may be, and who did not answer are told", async () => {
  open([change(2, -2), change(1, 4)])

  const table = within(await screen.findByRole("table", { name: /hop by hop/ }))
  const relayed = table.getByRole("row", { name: /Relayed/ })
  expect(relayed.textContent).toMatch(/−2\.0 ms± 0\.50 msnegative/)
  expect(table.getByRole("row", { name: /Painted/ }).textContent).toMatch(/not measured/)
  expect(screen.getByText(/1 of 2 worker processes did not answer/)).toBeDefined()
  expect(screen.getAllByText("not compared yet")).toHaveLength(2)
})

test("what this browser painted itself is measured, whoever else was asked", async () => {
  PAINTS.set("e:2", { offset: 2, totalMs: 15, deliverMs: 4, paintMs: 2 })
  open([change(2, 4), change(1, 4)])

  const figures = await screen.findByRole("region", { name: "Figures" })
  expect(figures.textContent).toMatch(/From the file to the screen15 msp95 15 msp50 of one paint/)
})

test("it asks again when a change comes", async () => {
  const changes: object[] = []
  const { client } = open(changes)
  expect(await screen.findByText(/has not seen a report change yet/)).toBeDefined()

  changes.push(change(2, 1))
  act(() => client.snapshot(audit({ nas: "dirty" })))

  expect(await screen.findByRole("table", { name: /The last changes/ }, { timeout: 3_000 })).toBeDefined()
})
