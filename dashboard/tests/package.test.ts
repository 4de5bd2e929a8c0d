import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"

const DASHBOARD = fileURLToPath(new URL("..", import.meta.url))
const CONSUMER = `
import { type ConnectionState, connect } from "reportcast-client"

const client = connect({ url: "http://gateway.test", channel: "audit", share: false })
client.subscribe((feed, event) => console.log(event.type, feed.follower.report?.body))
const { kind }: ConnectionState = client.getFeed().connection
console.log(kind)
`

test("the client core is a package of its own, with types, that needs nothing else", () => {
  const run = (command: string, args: string[], cwd: string) =>
    execFileSync(process.execPath, [join(DASHBOARD, "node_modules", command), ...args], { cwd, encoding: "utf8" })
  run("vite/bin/vite.js", ["build", "--config", "vite.client.ts", "--logLevel", "silent"], DASHBOARD)
  run("typescript/bin/tsc", ["--project", "tsconfig.client.json"], DASHBOARD)
  const home = mkdtempSync(join(tmpdir(), "consumer-"))
  try {
    mkdirSync(join(home, "node_modules"))
    symlinkSync(join(DASHBOARD, "src/client"), join(home, "node_modules/reportcast-client"))
    writeFileSync(join(home, "package.json"), '{"type":"module"}')
    writeFileSync(join(home, "page.ts"), CONSUMER)
    const options = ["--strict", "--target", "es2022", "--module", "nodenext", "--lib", "es2023,dom", "--types", ""]
    run("typescript/bin/tsc", [...options, "page.ts"], home)

    expect(execFileSync(process.execPath, [join(home, "page.js")], { encoding: "utf8" })).toBe("idle\n")
  } finally {
    rmSync(home, { recursive: true })
  }
})
