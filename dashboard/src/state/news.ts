/** What is worth a word while the person does something else: changes. Trouble is told by the header and a notice. */

import { hashOfRepo } from "../route.ts"
import { type RepoChange, summaryOf, together } from "./changes.ts"
import type { AuditStore } from "./store.ts"
import type { Toasts } from "./toasts.ts"

/** Changes of that long are told together; those that come after them, once nobody reads of those any more. */
const GATHER_MS = 1_000
const PAUSE_MS = 8_000

/** Tell changes to `toasts` and to `notify`. */
export function tellNews(store: AuditStore, toasts: Toasts, notify: (text: string) => void): void {
  let gathered = new Map<string, RepoChange>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let before = store.getView().body
  // Of a report that is no audit it is known that it is another one.
  let isOther = false
  const tell = () => {
    timer = undefined
    const changes = [...gathered.values()]
    const text = summaryOf(changes) || (isOther ? "The report changed" : "")
    isOther = false
    const [only] = changes
    if (!text) return
    gathered = new Map()
    toasts.add({ tone: "note", text, href: changes.length === 1 && only?.after ? hashOfRepo(only.key) : "#/" })
    notify(text)
    timer = setTimeout(tell, PAUSE_MS)
  }
  store.subscribe(({ body, report }, changes) => {
    if (!report && before !== null && body !== before) isOther = true
    before = body
    if (!changes.length && !isOther) return
    for (const change of changes) {
      const whole = together(gathered.get(change.key), change)
      gathered.delete(change.key)
      if (whole) gathered.set(change.key, whole)
    }
    if (timer === undefined) timer = setTimeout(tell, GATHER_MS)
  })
}
