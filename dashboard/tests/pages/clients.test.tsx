// @vitest-environment happy-dom
import { screen, within } from "@testing-library/react"
import { userEvent } from "@testing-library/user-event"
import { expect, test } from "vitest"
import Clients from "../../src/pages/clients.tsx"
import { programOf } from "../../src/state/clients.ts"
import { renderShared } from "../support/render.tsx"

const CLIENT = {
  id: 1,
  worker: 0,
  channel: "audit",
  transport: "events",
  address: "192.0.2.7:1",
  userAgent: "<b>curl</b>",
}
const LISTING = {
  count: 1,
  clients: [{ ...CLIENT, connectedAt: new Date().toISOString(), framesSent: 7, conflated: 2, behind: 3 }],
  workers: { asked: 1, answered: 1 },
}

test("the token goes in a header and is kept nowhere; a wrong one is refused in the gateway's words", async () => {
  const shown: (string | undefined)[] = []
  const ask = async (address: URL, { headers }: RequestInit) => {
    const { Authorization } = headers as Record<string, string>
    shown.push(Authorization)
    expect(address.search).toBe("")
    const isRight = Authorization === "Bearer right"
    return isRight ? Response.json(LISTING) : Response.json({ error: "the admin token is wrong" }, { status: 401 })
  }
  const first = renderShared(<Clients />, undefined, ask)
  expect(shown).toEqual([])

  await userEvent.type(screen.getByLabelText("Admin token"), "wrong{Enter}")
  expect(await screen.findByText("the admin token is wrong.")).toBeDefined()
  await userEvent.type(screen.getByLabelText("Admin token"), "right{Enter}")

  const row = within(await screen.findByRole("row", { name: /192\.0\.2\.7/ }))
  expect(row.getByText("<b>curl</b>")).toBeDefined()
  expect(row.getByText("Server-sent events")).toBeDefined()
  expect(row.getByText("3 behind, 2 skipped")).toBeDefined()
  expect(shown).toEqual(["Bearer wrong", "Bearer right"])
  expect(localStorage.length + sessionStorage.length).toBe(0)

  first.unmount()
  renderShared(<Clients />, undefined, ask)
  expect(await screen.findByRole("row", { name: /192\.0\.2\.7/ })).toBeDefined()
  await userEvent.click(screen.getByRole("button", { name: "Forget the token" }))
  expect(screen.getByLabelText("Admin token")).toBeDefined()
})

test.each([
  [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Chrome 131, Linux",
  ],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1",
    "Safari 17, iOS",
  ],
  ["reportcast-client/0.1", "reportcast-client/0.1"],
  ["", "not told"],
])("%j is %s", (userAgent, words) => {
  expect(programOf(userAgent)).toBe(words)
})
