// @vitest-environment happy-dom
import { afterEach, expect, test, vi } from "vitest"
import { given, isReplaced, withoutToken } from "../src/root.ts"

const ENTRY = "https://host/below/assets/index-old.js"
const serves = (name: string) => async () => new Response(`<script src="./assets/${name}"></script>`)

afterEach(() => {
  vi.unstubAllGlobals()
  sessionStorage.clear()
  history.replaceState(null, "", "/")
})

const open = (address: string) => history.replaceState(null, "", address)

test("the read token is taken out of the address, and a reload has it still", () => {
  open("/?channel=x&access_token=secret&kiosk=#/timeline")

  expect(given()).toEqual({ channel: "x", token: "secret" })
  expect(location.href).toMatch(/\/\?channel=x&kiosk=#\/timeline$/)
  expect(given()).toEqual({ channel: "x", token: "secret" })
  expect(given("https://other.test/")).toEqual({ channel: "x", token: undefined })
})

test("a token that a tab cannot keep stays in the address, and is not handed on", () => {
  open("/?access_token=secret#/timeline?at=a")
  vi.stubGlobal("sessionStorage", null)

  expect(given().token).toBe("secret")
  expect(location.search).toBe("?access_token=secret")
  expect(withoutToken(location.href)).toMatch(/[^?]#\/timeline\?at=a$/)
})

test.each([
  ["the same version", ENTRY, serves("index-old.js"), false],
  ["another version", ENTRY, serves("index-new.js"), true],
  ["something else", ENTRY, async () => new Response("<p>a proxy's</p>", { status: 502 }), false],
  ["nothing", ENTRY, () => Promise.reject(new TypeError("gone")), false],
  ["what is not built", "http://localhost/src/root.ts", serves("index-new.js"), false],
])("a gateway that serves %s", async (_, entry, ask, expected) => {
  expect(await isReplaced(entry, ask as typeof fetch)).toBe(expected)
})
