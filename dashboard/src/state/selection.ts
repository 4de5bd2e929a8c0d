/** Which of the kept reports a person looks at: one of them, or two beside each other. Pure. */

import type { Entry } from "./history.ts"

export interface Selection {
  /** The report to compare with; `null`: none is compared. */
  readonly from: string | null
  /** `null`: the newest, whichever that is. */
  readonly at: string | null
}

const BETWEEN = ".."

/** Read `?at=`: `<name>`, `<from>..<name>`, or `<from>..` for up to the newest. A name may have two dots itself. */
export function parseSelection(text: string | null, entries: readonly Entry[]): Selection {
  if (!text) return { from: null, at: null }
  const names = new Set(entries.map(({ name }) => name))
  if (names.has(text)) return { from: null, at: text }
  const splits = [...text.matchAll(/(?=\.\.)/g)].map(
    ({ index }) => [text.slice(0, index), text.slice(index + 2)] as const,
  )
  const isKnown = (name: string) => names.has(name)
  const split = splits.find(([from, at]) => isKnown(from) && (isKnown(at) || !at)) ?? splits[0]
  return split ? { from: split[0] || null, at: split[1] || null } : { from: null, at: text }
}

export function writeSelection({ from, at }: Selection): string | null {
  return from === null ? at : `${from}${BETWEEN}${at ?? ""}`
}

/** Give the place of a report among the entries: -1 if it is not kept (any more). */
export function placeOf(name: string | null, entries: readonly Entry[]): number {
  return name === null ? entries.length - 1 : entries.findIndex((entry) => entry.name === name)
}

/** Give the name for a place: of the last, that it is the newest. */
export function nameAt(place: number, entries: readonly Entry[]): string | null {
  return place >= entries.length - 1 ? null : (entries[Math.max(0, place)]?.name ?? null)
}
