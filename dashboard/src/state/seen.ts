/**
 * What the person has looked at, from one visit to the next.
 *
 * A report counts as looked at when the page is left after it was to be seen for a while, or when the person says so.
 */

import { type Gateway, pathOfReport } from "./gateway.ts"
import { isObject, isText, type Json } from "./json.ts"
import { recall, remember } from "./storage.ts"
import type { AuditStore } from "./store.ts"

/** As long as it takes to read what is new. */
const LOOK_MS = 5_000

interface Seen {
  readonly name: string
  readonly at: number
}

/** Keep `store` and the browser's memory in step. Gives what ends that. */
export function keepSeen(store: AuditStore, gateway: Gateway, page: Document = document): () => void {
  // Another gateway's report of that name may be served below another path, and one by two addresses of the page.
  const memory = () => `seen ${gateway.root} ${store.getView().channel}`
  let begun = false
  // Not before it is known what was new when this visit began.
  let isKnown = false
  let shownAt = Date.now()

  const keep = () => {
    const { name } = store.getView()
    if (name) remember(memory(), { name, at: Date.now() } satisfies Seen)
  }
  const begin = () => {
    if (begun || !store.getView().report) return
    begun = true
    const seen = recallSeen(memory())
    if (!seen) keep()
    else if (seen.name === store.getView().name) store.resumeSeen(null, seen.at)
    if (!seen || seen.name === store.getView().name) isKnown = true
    else
      resume(store, gateway, seen).finally(() => {
        isKnown = true
      })
  }
  const leave = () => {
    if (page.visibilityState === "visible") shownAt = Date.now()
    else if (isKnown && Date.now() - shownAt >= LOOK_MS) store.markSeen()
  }
  let seenAt = store.getView().seenAt
  const unsubscribe = store.subscribe((view) => {
    begin()
    if (isKnown && view.seenAt !== seenAt && !view.unseen.length) keep()
    seenAt = view.seenAt
  })
  begin()
  page.addEventListener("visibilitychange", leave)
  return () => {
    unsubscribe()
    page.removeEventListener("visibilitychange", leave)
  }
}

/** What is remembered may be of another version of this page. */
function recallSeen(memory: string): Seen | null {
  const seen = recall<unknown>(memory, null)
  if (!isObject(seen) || !isText(seen.name) || typeof seen.at !== "number") return null
  return Number.isNaN(new Date(seen.at).getTime()) ? null : { name: seen.name, at: seen.at }
}

async function resume(store: AuditStore, gateway: Gateway, { name, at }: Seen): Promise<void> {
  // If it is not kept any more, or cannot be had now, this visit begins with what it found.
  const value = await gateway.getJson(pathOfReport(name)).catch(() => null)
  if (value !== null) store.resumeSeen(value as Json, at)
}
