// @vitest-environment happy-dom
import { act, fireEvent, screen, within } from "@testing-library/react"
import { userEvent } from "@testing-library/user-event"
import { expect, test, vi } from "vitest"
import Timeline from "../../src/pages/timeline.tsx"
import { present } from "../../src/route.ts"
import { audit, type FakeClient } from "../support/fake-client.ts"
import { renderShared } from "../support/render.tsx"

const HOSTILE = "<img src=x onerror=alert(1)>"
const REPORTS: Record<string, object> = {
  "1.json": audit({ [HOSTILE]: "clean", nas: "dirty" }),
  "b.json": audit({ nas: "dirty" }, { health_status: "yellow" }),
  "a.json": audit({ nas: "clean", wiki: "missing" }, { health_status: "red" }),
}

function listed(name: string, minute: number) {
  const summary = { total: 2, dirty: minute }
  const at = { epoch: "1b65fea20ca22296", offset: minute - 2, modifiedAt: `2026-11-23T12:0${minute}:00Z` }
  return { name, ...at, timestamp: "", health: "green", summary }
}

const asked: string[] = []

async function answer({ pathname }: URL): Promise<Response> {
  asked.push(pathname)
  if (pathname === "/api/history") return Response.json([listed("1.json", 3), listed("b.json", 2), listed("a.json", 1)])
  const report = REPORTS[pathname.replace("/audit/history/", "")]
  return report ? Response.json(report) : Response.json({ error: "no such report is kept" }, { status: 404 })
}

async function open(hash: string) {
  location.hash = hash
  asked.length = 0
  const shown = renderShared(<Timeline />, (client: FakeClient) => client.snapshot(REPORTS["1.json"]), answer)
  await screen.findByText("3 reports")
  return shown
}

const at = () => new URLSearchParams(present().split("?")[1]).get("at")

test("the newest report is shown with what it changed, and nothing of it is markup", async () => {
  await open("#/timeline")

  expect(await screen.findByText(`${HOSTILE}: new, clean.`)).toBeDefined()
  expect(document.querySelector("img")).toBeNull()
})

test("the scrubber goes through the reports by keyboard, and the address says so", async () => {
  await open("#/timeline")
  const slider = screen.getByRole<HTMLInputElement>("slider", { name: "At" })
  expect(slider.getAttribute("aria-valuetext")).toMatch(/health green, 2 total, 3 dirty; report 3 of 3$/)

  fireEvent.change(slider, { target: { value: "1" } })
  expect(at()).toBe("b.json")
  expect(await screen.findByText(/2 repositories changed: 1 no longer listed, 1 dirty\./)).toBeDefined()
  expect(screen.getByText(/The health went from red to yellow/)).toBeDefined()

  await userEvent.click(screen.getByRole("button", { name: "At: the report before" }))
  expect(at()).toBe("a.json")
  await userEvent.click(screen.getByRole("button", { name: "Newest" }))
  expect(at()).toBeNull()
})

test("any two are compared: what has another state, what was added, what is gone", async () => {
  await open("#/timeline?at=a.json..1.json")

  const state = within(await screen.findByRole("region", { name: /Another state/ }))
  expect(state.getByRole("listitem").textContent).toMatch(/nas.*clean.*to.*dirty/)
  expect(within(screen.getByRole("region", { name: /Added/ })).getByText(HOSTILE)).toBeDefined()
  expect(within(screen.getByRole("region", { name: /No longer listed/ })).getByText("wiki")).toBeDefined()

  fireEvent.change(screen.getByRole("slider", { name: "From" }), { target: { value: "1" } })
  expect(at()).toBe("b.json..1.json")
})

test("the first report is compared with the newest, any other with the one before", async () => {
  await open("#/timeline?at=a.json")
  await userEvent.click(screen.getByRole("button", { name: "Compare two" }))
  expect(at()).toBe("a.json..")

  await userEvent.click(screen.getByRole("button", { name: "Compare two" }))
  expect(at()).toBeNull()
  await userEvent.click(screen.getByRole("button", { name: "Compare two" }))
  expect(at()).toBe("b.json..")
})

test("a report that is not kept is told in a sentence, and a new one joins the others", async () => {
  const { client } = await open("#/timeline?at=gone.json")
  expect(await screen.findByText(/No such report is kept|This report is not kept any more/i)).toBeDefined()
  expect(screen.queryByText("not told")).toBeNull()

  act(() => client.snapshot(audit({ nas: "clean" })))

  expect(screen.getByText("4 reports")).toBeDefined()
  expect(at()).toBe("gone.json")
})

test("what came while nobody listened is asked for", async () => {
  const { client } = await open("#/timeline")
  act(() => client.snapshot(audit({ nas: "clean" }), [], { offset: 3, name: "3.json" }))

  await vi.waitFor(() => expect(asked.filter((path) => path === "/api/history")).toHaveLength(2), { timeout: 2_000 })
})

test("a repository of a past report is opened, and closed with the focus where it was", async () => {
  await open("#/timeline?at=b.json")
  await userEvent.click(screen.getByText("All repositories"))

  await userEvent.click(await screen.findByRole("link", { name: "nas" }))
  expect(screen.getByRole("complementary", { name: "Details" })).toBeDefined()
  await userEvent.keyboard("{Escape}")

  expect(screen.queryByRole("complementary")).toBeNull()
  expect(document.activeElement).toBe(screen.getByRole("link", { name: "nas" }))
})

test("a report that was chosen while it was the newest stays when the next one comes", async () => {
  const { client } = await open("#/timeline?at=2.json")
  act(() => client.snapshot(audit({ nas: "extra" })))
  await userEvent.click(screen.getByText("All repositories"))
  await userEvent.type(screen.getByRole("searchbox"), "na")

  act(() => client.snapshot(audit({ nas: "clean" })))

  expect(screen.getByRole<HTMLInputElement>("searchbox").value).toBe("na")
  expect(screen.getByRole("row", { name: /nas/ }).textContent).toContain("extra")
})

test("a report that could not be had can be asked for again", async () => {
  const report = REPORTS["b.json"] as object
  REPORTS["b.json"] = ["a proxy's answer"]
  await open("#/timeline?at=b.json")
  expect(await screen.findByText("the gateway's answer cannot be read.")).toBeDefined()

  REPORTS["b.json"] = report
  await userEvent.click(screen.getByRole("button", { name: "Try again" }))

  expect(await screen.findByText(/2 repositories changed/)).toBeDefined()
})
