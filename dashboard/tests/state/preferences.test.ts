// @vitest-environment happy-dom
import { expect, test } from "vitest"
import { makePreferences } from "../../src/state/preferences.ts"

const DEFAULTS = { theme: "system", mode: { live: true }, notify: false }

test.each([
  "",
  "{",
  "null",
  "5",
  "[]",
  '"dark"',
  '{"theme":"pink","mode":5,"notify":"yes"}',
  '{"mode":{"live":false}}',
  '{"mode":{"live":false,"everyS":0.001}}',
  '{"mode":{"everyS":60}}',
])("what was remembered as %s is as if it were not", (text) => {
  localStorage.setItem("reportcast.preferences", text)

  expect(makePreferences().get()).toEqual(DEFAULTS)
})

test("what was chosen is remembered", () => {
  const chosen = { theme: "dark", mode: { live: false, everyS: 60 }, notify: true } as const
  makePreferences().set(chosen)

  expect(makePreferences().get()).toEqual(chosen)
})
