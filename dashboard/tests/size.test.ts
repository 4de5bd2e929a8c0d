import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build } from "vite"
import { expect, test } from "vitest"

test("the protocol costs a page a few kB", async () => {
  const entry = fileURLToPath(new URL("../src/protocol/index.ts", import.meta.url))
  const built = await build({
    configFile: false,
    logLevel: "silent",
    build: { write: false, lib: { entry, formats: ["iife"], name: "protocol" } },
  })
  const output = [built].flat().flatMap((each) => ("output" in each ? each.output : []))
  const code = output.map((chunk) => (chunk.type === "chunk" ? chunk.code : "")).join("")

  expect(code).toContain("json-patch")
  expect(gzipSync(code).length).toBeLessThan(3500)
})
