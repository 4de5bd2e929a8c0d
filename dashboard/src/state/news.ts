/** What is worth a word while the person does something else: changes. Trouble is told by the header and a notice. */

import { hashOfRepo } from "../route.ts"
import { type RepoChange, summaryOf } from "./changes.ts"
import type { AuditStore } from "./store.ts"
import type { Toasts } from "./toasts.ts"

/** Changes of that long are told together. */
const GATHER_MS = 1_000

/** Tell changes to `toasts` and to `notify`. */
export function tellNews(store: AuditStore, toasts: Toasts, notify: (text: string) => void): void {
  let gathered = new Map<string, RepoChange>()
  const tell = () => {
    const changes = [...gathered.values()]
    gathered = new Map()
    const text = summaryOf(changes)
    const [only] = changes
    if (!text) return
    toasts.add({ tone: "note", text, href: changes.length === 1 && only?.after ? hashOfRepo(only.key) : "#/" })
    notify(text)
  }
  store.subscribe((_, changes) => {
    if (!changes.length) return
    if (!gathered.size) setTimeout(tell, GATHER_MS)
    for (const change of changes) gathered.set(change.key, change)
  })
}
