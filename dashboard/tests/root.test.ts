import { expect, test } from "vitest"
import { isReplaced } from "../src/root.ts"

const ENTRY = "https://host/below/assets/index-old.js"
const serves = (name: string) => async () => new Response(`<script src="./assets/${name}"></script>`)

test.each([
  ["the same version", ENTRY, serves("index-old.js"), false],
  ["another version", ENTRY, serves("index-new.js"), true],
  ["something else", ENTRY, async () => new Response("<p>a proxy's</p>", { status: 502 }), false],
  ["nothing", ENTRY, () => Promise.reject(new TypeError("gone")), false],
  ["what is not built", "http://localhost/src/root.ts", serves("index-new.js"), false],
])("a gateway that serves %s", async (_, entry, ask, expected) => {
  expect(await isReplaced(entry, ask as typeof fetch)).toBe(expected)
})
