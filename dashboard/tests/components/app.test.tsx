// @vitest-environment happy-dom
import { act, screen, within } from "@testing-library/react"
import { userEvent } from "@testing-library/user-event"
import { expect, test, vi } from "vitest"
import { App } from "../../src/app.tsx"
import { PanelBoundary } from "../../src/components/panel-boundary.tsx"
import type { FrameOf } from "../../src/protocol/index.ts"
import { navigate, present } from "../../src/route.ts"
import type { Step } from "../../src/state/view.ts"
import { audit, type FakeClient, LIVE } from "../support/fake-client.ts"
import { renderShared } from "../support/render.tsx"

const THREE = { nas: "clean", router: "dirty", wiki: "missing" }

function open(hash: string, report: unknown = audit(THREE)) {
  location.hash = hash
  return renderShared(<App />, (client: FakeClient) => {
    client.become(LIVE)
    client.snapshot(report)
  })
}

const rows = () => screen.getAllByRole("row").slice(1)

test("without a report it says what it waits for", () => {
  const { client } = renderShared(<App />)
  expect(screen.getByRole("heading", { name: "Connecting…" })).toBeDefined()

  act(() => client.become({ kind: "stopped", code: "unauthorized", reason: "A token is needed." }))

  expect(screen.getByRole("heading", { name: "Nothing can be shown" })).toBeDefined()
  expect(screen.getAllByText("A token is needed.").length).toBeGreaterThan(0)
})

test("the overview tells what changed, until the person has seen it", async () => {
  const { client } = open("")

  act(() => client.snapshot(audit({ ...THREE, nas: "dirty" })))

  const panel = within(screen.getByRole("region", { name: "Changed since you looked" }))
  expect(panel.getByRole("listitem").textContent).toMatch(/nas.*clean.*to.*dirty/)
  expect(screen.getByRole("link", { name: /dirty 2 \+1 since you looked/ })).toBeDefined()

  await userEvent.click(panel.getByRole("button", { name: "Mark as seen" }))
  expect(screen.getByText("Nothing is different from then.")).toBeDefined()
})

test("what came and went since the person looked is told as well", () => {
  const { client, store } = open("")
  act(() => store.resumeSeen(null, Date.now() - 300_000))

  act(() => client.snapshot(audit({ ...THREE, nas: "dirty" })))
  act(() => client.snapshot(audit({ ...THREE, wiki: "clean" })))

  const rows = within(screen.getByRole("region", { name: "Changed since you looked" })).getAllByRole("listitem")
  expect(rows.map((row) => row.textContent?.replace(/just now|\d+ s ago/, ""))).toEqual([
    "wikimissingtoclean",
    "nasdirtytoclean",
    "nascleantodirty",
  ])
})

test("a newcomer has not looked before, and is told the last changes", () => {
  const { store } = open("")
  const told = () => screen.getByRole("region", { name: "Last changes" }).textContent
  expect(told()).toContain("Reading the last reports…")
  act(() => store.recall([], { steps: [], reports: null, reason: "the gateway cannot be reached" }))
  expect(told()).toContain("What changed before is not known: the gateway cannot be reached.")
  act(() => store.recall([], { steps: [], reports: 6, reason: null }))
  expect(told()).toContain("No change of state in the last 6 reports.")

  act(() => store.resumeSeen(null, Date.now() - 300_000))

  const panel = screen.getByRole("region", { name: "Changed since you looked" })
  expect(panel.textContent).toMatch(/5 min ago.*Nothing is different from then/)
})

test("changes of reports of one time are all told, once, and as old as they are by the gateway's clock", () => {
  const { client, store } = open("#/repositories/nas")
  const ahead = 600_000
  act(() => store.tellTime(new Date(Date.now() + ahead).toISOString(), 0))
  act(() => client.snapshot(audit({ ...THREE, nas: "dirty" })))
  const step = { ...store.getView().log[0], at: Date.now() + ahead - 300_000 }
  const steps = ["one", "two"].map((id) => ({ ...step, id }) as Step)
  act(() => store.recall([], { steps, reports: 6, reason: null }))
  const told = () =>
    Array.from(screen.getByRole("complementary").querySelectorAll("ol > li"), (each) => each.textContent)
  expect(told()).toHaveLength(3)
  expect(told()[2]).toContain("5 min ago")

  act(() => client.snapshot(audit({ ...THREE, nas: "missing" })))

  expect(told()).toHaveLength(4)
})

test("the counts differ from those that were looked at, whatever the repositories come to", () => {
  const { client } = open("", audit(THREE, { summary: { total: 3, clean: 1 } }))

  act(() => client.snapshot(audit({ nas: "clean" }, { summary: { total: 99, clean: 1 } })))

  expect(screen.getByRole("link", { name: /total 99 \+96 since you looked/ })).toBeDefined()
  expect(screen.getByRole("link", { name: "clean 1" })).toBeDefined()
})

test("what is gone is told with when it went, and what came and went is no change of state", () => {
  const { client, store } = open("")
  act(() => store.resumeSeen(null, Date.now() - 300_000))
  act(() => client.snapshot(audit({ nas: "dirty", router: "dirty", wiki: "missing" })))
  act(() => client.snapshot(audit({})))
  expect(screen.getByRole("region", { name: "Needs attention" }).textContent).toContain("lists no repositories")
  const panel = () => screen.getByRole("region", { name: "Changed since you looked" })
  expect(panel().textContent?.match(/no longer listedjust now/g)).toHaveLength(3)

  act(() => client.snapshot(audit(THREE)))

  expect(panel().textContent).toContain("Nothing is different from then")
  expect(within(panel()).getAllByRole("listitem")).toHaveLength(1)
  expect(panel().textContent).toMatch(/Last changes of statenas.*clean.*to.*dirty/)
})

test("the other reports are there with this one, before it is known how they fare", () => {
  const hello = { type: "hello", channels: ["audit", "dns"] } as unknown as FrameOf<"hello">
  const others = () => screen.getByRole("navigation", { name: "Reports" })
  renderShared(<App />, (client: FakeClient) => {
    client.feed = { ...client.feed, hello }
    client.snapshot(audit(THREE))
  })

  expect(within(others()).getByRole("link", { current: "page" }).textContent).toBe("audit")
  expect(within(others()).getByRole("link", { name: "dns" }).getAttribute("href")).toMatch(/\?channel=dns$/)
})

test("an address of no page says so", () => {
  open("#/bogus")
  expect(screen.getByText("There is no page “bogus” here; this is the Overview.")).toBeDefined()
  expect(document.title).toBe("2 not clean · Overview · Reportcast")
})

test("a rejected file is told beside the last good report", () => {
  const { client } = open("")

  act(() => client.status({ state: "rejected", reason: "report is empty" }))

  expect(
    screen.getByText(/The report file is not served as it is now: report is empty\. Below is the last good one/),
  ).toBeDefined()
  expect(screen.getByRole("heading", { name: "Needs attention" })).toBeDefined()
})

test("an overdue report is late by so much", () => {
  const { client } = open("")

  act(() => client.status({ state: "overdue", due_at: new Date(Date.now() - 65_000).toISOString() }))

  expect(screen.getByRole("timer").textContent).toMatch(/^Late by 1 min [45] s\.$/)

  act(() => client.become({ kind: "offline", since: 0, reason: "Gone.", attempt: 1, retryAt: 0 }))
  expect(screen.queryByRole("timer")).toBeNull()
})

test("repositories are found and filtered, and the address says so", async () => {
  open("#/repositories")
  expect(rows().map((row) => row.querySelector("a")?.textContent)).toEqual(["wiki", "router", "nas"])

  await userEvent.keyboard("/")
  await userEvent.keyboard("rout")
  expect(rows()).toHaveLength(1)
  expect(present()).toBe("#/repositories?q=rout")

  await userEvent.clear(screen.getByRole("searchbox"))
  await userEvent.click(screen.getByRole("button", { name: /^missing/, pressed: false }))
  expect(rows().map((row) => row.querySelector("a")?.textContent)).toEqual(["wiki"])
})

test("what is typed fast is searched for, though the address may not be written so often", async () => {
  open("#/repositories")
  const written = vi.spyOn(history, "replaceState")
  await userEvent.type(screen.getByRole("searchbox"), "a report")
  expect(screen.getByRole<HTMLInputElement>("searchbox").value).toBe("a report")
  expect(written.mock.calls.length).toBeLessThan(4)
  await vi.waitFor(() => expect(location.hash).toBe("#/repositories?q=a+report"))

  written.mockImplementation(() => {
    throw new DOMException("too often", "SecurityError")
  })
  await userEvent.clear(screen.getByRole("searchbox"))
  await userEvent.type(screen.getByRole("searchbox"), "rout")
  expect(rows()).toHaveLength(1)
  written.mockRestore()
  await vi.waitFor(() => expect(location.hash).toBe("#/repositories?q=rout"))
})

test("the keyboard alone goes from row to row, into the details and back", async () => {
  open("#/repositories")
  rows()[0]?.querySelector("a")?.focus()

  await userEvent.keyboard("{ArrowDown}")
  expect(document.activeElement?.textContent).toBe("router")

  act(() => (document.activeElement as HTMLElement).click())
  const details = await screen.findByRole("complementary", { name: "Details" })
  expect(document.activeElement).toBe(within(details).getByRole("heading", { name: "router" }))

  await userEvent.keyboard("{Escape}")
  expect(screen.queryByRole("complementary")).toBeNull()
  expect(document.activeElement?.textContent).toBe("router")
})

test("the row that was clicked has the focus again when its details are closed", async () => {
  open("#/repositories")
  const link = screen.getByRole("link", { name: "nas" })

  await userEvent.click(link.closest("[role=row]")?.querySelector("[role=gridcell]") as Element)
  await userEvent.click(await screen.findByRole("button", { name: "Close the details" }))

  expect(document.activeElement).toBe(link)
})

const TWINS = {
  ...audit({}),
  repos: ["/srv/a", "/srv/b", "/srv/c"].map((local_path, at) => ({
    name: "nas",
    status: at ? "dirty" : "clean",
    local_path,
  })),
}

test("of repositories of one name each is opened by the links to it", async () => {
  const { client } = open("", TWINS)
  const linksIn = (name: string) => within(screen.getByRole("region", { name })).getAllByRole("link", { name: "nas" })

  act(() =>
    client.snapshot({
      ...TWINS,
      repos: TWINS.repos.map((repo, at) => (at < 2 ? repo : { ...repo, status: "missing" })),
    }),
  )
  expect(linksIn("Needs attention").map((link) => link.getAttribute("href"))).toEqual([
    "#/repositories/nas?n=3",
    "#/repositories/nas?n=2",
  ])
  expect(linksIn("Changed since you looked")[0]?.getAttribute("href")).toBe("#/repositories/nas?n=3")

  act(() => linksIn("Needs attention")[1]?.click())
  expect(within(await screen.findByRole("complementary", { name: "Details" })).getByText("/srv/b")).toBeDefined()
})

test("a repository without a name is opened, and a slash too many opens none", async () => {
  const { client } = open("#/repositories/")
  expect(screen.queryByRole("complementary")).toBeNull()

  act(() => client.snapshot(audit({ ...THREE, "": "dirty" })))

  const details = within(await screen.findByRole("complementary", { name: "Details" }))
  expect(details.getByRole("heading", { name: "(no name)" })).toBeDefined()
})

test("of 10 000 repositories only those to be seen are in the document", () => {
  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`repo ${at}`, "clean"]))
  open("#/repositories", audit(many))

  expect(screen.getByRole("grid").getAttribute("aria-rowcount")).toBe("10001")
  expect(rows().length).toBeLessThan(100)
})

test("on paper there are all of them, or the one that is open alone", async () => {
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`repo ${at}`, "clean"]))
  open("#/repositories", audit(many))
  act(() => dispatchEvent(new Event("beforeprint")))
  expect(rows()).toHaveLength(300)

  act(() => screen.getByRole("link", { name: "repo 7" }).click())
  expect(await screen.findByRole("complementary", { name: "Details" })).toBeDefined()
  expect(rows().length).toBeLessThan(100)
  expect(screen.getByRole("grid").closest(".print\\:hidden")).not.toBeNull()
  act(() => dispatchEvent(new Event("afterprint")))
})

test("what a hostile report says is text, and no link that runs something", async () => {
  const script = "<img src=x onerror=alert(1)>"
  const hostile = {
    name: script,
    status: "constructor",
    local_path: "\u202e/etc",
    clone_url: "javascript:alert(1)",
    remote_url: "data:text/html,<script>alert(1)</script>",
    dashboard_link: " https://evil.test",
    expected_url: "https://good.test/x",
    mitigation: { __html: script },
    file_status: [script, null, 3],
  }
  const report = {
    ...audit({}),
    repos: [hostile, { name: "__proto__", status: "__proto__" }, { name: script, status: "x" }],
  }
  const { client } = open(`#/repositories/${encodeURIComponent(script)}`, { ...report, health_status: "__proto__" })

  const details = screen.getByRole("complementary", { name: "Details" })
  expect(within(details).getByRole("heading", { name: script })).toBeDefined()
  expect(document.querySelector("img, script, iframe")).toBeNull()
  const links = Array.from(details.querySelectorAll("a"), (link) => link.href)
  expect(links).toEqual(["https://good.test/x"])

  await act(async () => {
    location.hash = "#/"
    client.snapshot({ ...report, health_status: "__proto__", timestamp: script })
  })
  expect(document.querySelector("img, script, iframe")).toBeNull()
  expect(await screen.findByText("This page does not know that state.")).toBeDefined()
})

const HIDDEN = "a\u202eb\u200bc\u00ad\u001b[31m\u3164"
/** What shows nothing, or turns what is around it; a line may end. */
const HIDING = /(?!\n)[\p{Cc}\p{Cf}\u3164]/u

test("characters that hide or turn text are seen, wherever a report has them", async () => {
  const repo = { name: HIDDEN, status: HIDDEN, local_path: HIDDEN, mitigation: `one\n${HIDDEN}`, [HIDDEN]: [HIDDEN] }
  const other = { name: "other", status: "dirty", local_path: HIDDEN }
  const report = { ...audit({}), timestamp: HIDDEN, health_status: HIDDEN, repos: [repo, other] }
  const { client } = open("", report)
  act(() => client.snapshot({ ...report, repos: [{ ...repo, status: `not ${HIDDEN}` }, other] }, [finding(HIDDEN)]))
  act(() => client.status({ state: "rejected", reason: HIDDEN }))
  const shown = () => [document.body.textContent, ...Array.from(document.querySelectorAll("[title]"), titleOf)].join("")

  for (const hash of ["#/", `#/repositories/${encodeURIComponent(HIDDEN)}`, "#/repositories?group=status"]) {
    act(() => navigate(hash))
    expect(shown()).toContain("\ufffd")
    expect(shown()).not.toMatch(HIDING)
  }
  act(() => client.snapshot({ [HIDDEN]: HIDDEN }))
  expect(screen.getByText(/a\ufffdb.*:/)).toBeDefined()
  expect(shown()).not.toMatch(HIDING)
})

const finding = (message: string) => ({ kind: "odd", message, line: 1, column: 1 })
const titleOf = (each: Element) => each.getAttribute("title")

test("a state and a name that are blank have a word, and the state can be filtered by", async () => {
  open("#/repositories", audit({ " ": "", nas: "dirty" }))

  await userEvent.click(screen.getByRole("button", { name: "(no state) 1" }))

  expect(rows().map((row) => row.textContent)).toEqual([expect.stringMatching(/^\(no name\)\(no state\)/)])
  expect(screen.getByRole("button", { name: "(no state) 1", pressed: true })).toBeDefined()
})

test("of very many states the first are offered as filters, those that are chosen, and the others when asked for", async () => {
  const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`repo ${at}`, `state ${1_000 + at}`]))
  open("#/repositories?status=state+1999", audit(many))
  const filters = () => within(screen.getByRole("group", { name: "Filter by status" })).getAllByRole("button")
  expect(filters().map((each) => each.textContent)).toHaveLength(22)
  expect(filters()[20]?.textContent).toBe("state 1999 1")

  await userEvent.click(screen.getByRole("button", { name: "979 more states" }))
  expect(filters()).toHaveLength(1_000)
})

test("an audit report that does not say when it was made is one", () => {
  open("", audit(THREE, { timestamp: "" }))

  expect(screen.getByRole("region", { name: "Health" }).textContent).toContain("Not stated")
})

test("a report that is no audit report is shown as a tree", async () => {
  open("", { zone: "home", records: [{ name: "nas", at: "https://nas.test/" }] })

  expect(screen.getByText("zone:")).toBeDefined()
  expect(screen.queryByText("nas")).toBeNull()
  await userEvent.click(screen.getByRole("button", { name: /\{…\} 2/ }))
  expect(screen.getByRole("link", { name: "https://nas.test/" })).toBeDefined()
  expect(screen.queryByRole("link", { name: "Repositories" })).toBeNull()
})

let isBroken = false

function Part() {
  if (isBroken) throw new Error("no luck")
  return <p>whole</p>
}

test("what goes wrong in a panel stays there, and can be tried again", async () => {
  openBroken()
  expect(screen.getByRole("alert").textContent).toContain("The part could not be shown. no luck")

  isBroken = false
  await userEvent.click(screen.getByRole("button", { name: "Try again" }))
  expect(screen.getByText("whole")).toBeDefined()
  vi.restoreAllMocks()
})

test("what a report broke, another one mends, and a status does not", () => {
  const { client } = openBroken()
  act(() => client.snapshot(audit(THREE)))
  isBroken = false

  act(() => client.status({ state: "current" }))
  expect(screen.getByRole("alert")).toBeDefined()
  act(() => client.snapshot(audit({})))

  expect(screen.getByText("whole")).toBeDefined()
  vi.restoreAllMocks()
})

function openBroken() {
  isBroken = true
  vi.spyOn(console, "error").mockImplementation(() => undefined)
  return renderShared(
    <PanelBoundary name="The part">
      <Part />
    </PanelBoundary>,
  )
}

test("a repository is listed and opened whose name no address can hold", async () => {
  open("#/repositories", audit({ "bad\ud800name": "dirty", nas: "clean" }))

  act(() => rows()[0]?.querySelector("a")?.click())

  const details = within(await screen.findByRole("complementary", { name: "Details" }))
  expect(details.getByText("/srv/bad\ud800name")).toBeDefined()
})
