import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build } from "vite"
import { expect, test, vi } from "vitest"

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
  expect(bytes).toBeLessThan(6500)
})

test("who uses the client alone loads both", async () => {
  const [code, bytes] = await loaded("client")

  expect(code).toContain("json-patch")
  // More than the 6 kB that were wished for (docs/adr/0019): deltas that can be proved, and three transports.
  expect(bytes).toBeLessThan(9600)
})

test("the first load of the page is small, and nothing of it is inline", async () => {
  vi.stubEnv("NODE_ENV", "production") // React is another one for tests
  const built = await build({
    configFile: fileURLToPath(new URL("../vite.config.ts", import.meta.url)),
    logLevel: "silent",
    build: { write: false },
  })
  vi.unstubAllEnvs()
  const output = [built].flat().flatMap((each) => ("output" in each ? each.output : []))
  const first = output.filter((each) => each.type === "chunk" && each.isEntry)
  const page = output.find(({ fileName }) => fileName === "index.html")

  expect(first.reduce((sum, each) => sum + gzipSync("code" in each ? each.code : "").length, 0)).toBeLessThan(150_000)
  expect("source" in (page ?? {}) && String((page as { source: unknown }).source)).not.toMatch(
    /<style|style=|<script>|src="[/h]/,
  )
})
