/** The golden files, which the Python side reads too. */

import { existsSync, readFileSync } from "node:fs"

/** Give the cases of a file below tests/golden. */
export function golden<Case>(name: string): Case[] {
  return JSON.parse(readFileSync(pathOf(name), "utf8"))
}

/** Tell whether that file is there. */
export function hasGolden(name: string): boolean {
  return existsSync(pathOf(name))
}

function pathOf(name: string): URL {
  return new URL(`../../tests/golden/${name}.json`, import.meta.url)
}
