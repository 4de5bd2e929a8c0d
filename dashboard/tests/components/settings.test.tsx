// @vitest-environment happy-dom
import { screen } from "@testing-library/react"
import { userEvent } from "@testing-library/user-event"
import { afterEach, expect, test, vi } from "vitest"
import { Settings } from "../../src/components/settings.tsx"
import { renderShared } from "../support/render.tsx"

afterEach(() => {
  vi.unstubAllGlobals()
})

test("a permission that is not given is told", async () => {
  const Refused = Object.assign(vi.fn(class {}), {
    permission: "default",
    requestPermission: async () => "default",
  })
  vi.stubGlobal("Notification", Refused)
  renderShared(<Settings onKiosk={() => undefined} />)

  const box = screen.getByRole<HTMLInputElement>("checkbox", { name: /Notify me/, hidden: true })
  await userEvent.click(box)

  expect(await screen.findByText("The browser did not give its permission.")).toBeDefined()
  expect(box.checked).toBe(false)
})
