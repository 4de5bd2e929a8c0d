// @vitest-environment happy-dom
import { screen } from "@testing-library/react"
import { userEvent } from "@testing-library/user-event"
import { afterEach, expect, test, vi } from "vitest"
import { Later, makeCode } from "../../src/components/later.tsx"
import { PanelBoundary } from "../../src/components/panel-boundary.tsx"
import * as root from "../../src/root.ts"
import { renderShared } from "../support/render.tsx"

afterEach(() => vi.restoreAllMocks())

const Page = () => <p>the page</p>

function open(load: () => Promise<{ default: typeof Page }>) {
  vi.spyOn(console, "error").mockImplementation(() => undefined)
  const code = makeCode(load)
  renderShared(
    <PanelBoundary name="This page">
      <Later code={code} />
    </PanelBoundary>,
  )
}

test("a page that could not be fetched is fetched when it is tried again", async () => {
  const load = vi.fn(async () => ({ default: Page })).mockRejectedValueOnce(new TypeError("Failed to fetch"))
  open(load)

  await userEvent.click(await screen.findByRole("button", { name: "Try again" }))

  expect(await screen.findByText("the page")).toBeDefined()
  expect(load).toHaveBeenCalledTimes(2)
})

test("a page of which another version is served can be had by a reload alone", async () => {
  vi.spyOn(root, "isReplaced").mockResolvedValue(true)
  open(async () => {
    throw new TypeError("Failed to fetch")
  })

  expect((await screen.findByRole("alert")).textContent).toContain("A new version of it is served.")
  expect(screen.getByRole("button", { name: "Reload" })).toBeDefined()
  expect(screen.queryByRole("button", { name: "Try again" })).toBeNull()
})

test("a page that was fetched before is shown at once", async () => {
  const code = makeCode(async () => ({ default: Page }))
  await code.fetch()

  renderShared(<Later code={code} />)

  expect(screen.getByText("the page")).toBeDefined()
})
