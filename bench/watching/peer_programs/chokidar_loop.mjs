// A peer: Node's chokidar, reading the report at each event, as the server that was replaced does.
//
//     node chokidar_loop.mjs REPORT [STABILITY_THRESHOLD_MS]

import { readFileSync } from "node:fs"
import { watch } from "chokidar"

const [path, stabilityThreshold] = process.argv.slice(2)
const awaitWriteFinish = stabilityThreshold ? { stabilityThreshold: Number(stabilityThreshold), pollInterval: 100 } : false
const tell = (line) => process.stdout.write(JSON.stringify(line) + "\n")

function read() {
  let change = null
  try {
    change = JSON.parse(readFileSync(path, "utf8")).change
  } catch {
    // told as no change
  }
  tell({ at_ns: Number(process.hrtime.bigint()), change })
}

const watcher = watch(path, { ignoreInitial: true, awaitWriteFinish })
watcher.on("add", read).on("change", read).on("ready", () => tell({ ready: true }))
