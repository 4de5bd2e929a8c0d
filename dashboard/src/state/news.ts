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
  // One toast tells all of them, for as long as it is to be seen.
  let shown = new Map<string, RepoChange>()
  let id = 0
  const tell = () => {
    if (!toasts.dismiss(id)) shown = new Map()
    for (const [key, change] of gathered) shown.set(key, change)
    const changes = [...shown.values()]
    const [only] = changes
    const href = changes.length === 1 && only?.after ? hashOfRepo(only.key) : "#/"
    id = toasts.add({ tone: "note", text: summaryOf(changes), href })
    notify(summaryOf([...gathered.values()]))
    gathered = new Map()
  }
  store.subscribe((_, changes) => {
    if (!changes.length) return
    if (!gathered.size) setTimeout(tell, GATHER_MS)
    for (const change of changes) gathered.set(change.key, change)
  })
}
