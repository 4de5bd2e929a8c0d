import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build } from "vite"
import { expect, test } from "vitest"

/** Give what a page has to load for a module and all that it needs, in bytes. */
async function loaded(module: string, external: readonly RegExp[] = []): Promise<[code: string, bytes: number]> {
  const entry = fileURLToPath(new URL(`../src/${module}/index.ts`, import.meta.url))
  const built = await build({
    configFile: false,
    logLevel: "silent",
    build: {
      write: false,
      lib: { entry, formats: ["iife"], name: "loaded" },
      rolldownOptions: { external: [...external], output: { globals: () => "other" } },
    },
  })
  const output = [built].flat().flatMap((each) => ("output" in each ? each.output : []))
  const code = output.map((chunk) => (chunk.type === "chunk" ? chunk.code : "")).join("")
  return [code, gzipSync(code).length]
}

test("the protocol costs a page a few kB", async () => {
  const [code, bytes] = await loaded("protocol")

  expect(code).toContain("json-patch")
  expect(bytes).toBeLessThan(3600)
})

test("so does what keeps it connected, by whichever transport", async () => {
  const [code, bytes] = await loaded("client", [/protocol/])

  expect(code).toContain("does not get through")
  expect(code).not.toContain("json-patch")
  expect(bytes).toBeLessThan(6000)
})
