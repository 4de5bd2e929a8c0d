/** The golden files, which the Python side reads too. */

import { readFileSync } from "node:fs"

/** Give the cases of a file below tests/golden. */
export function golden<Case>(name: string): Case[] {
  return JSON.parse(readFileSync(new URL(`../../tests/golden/${name}.json`, import.meta.url), "utf8"))
}
