/** What is worth a word while the person does something else: changes, and trouble that lasts. */

import type { Client, ConnectionState } from "../client/index.ts"
import { hashOfRepo } from "../route.ts"
import { type RepoChange, summaryOf } from "./changes.ts"
import type { AuditStore } from "./store.ts"
import type { Toasts } from "./toasts.ts"
import { sentenceOf } from "./words.ts"

/** Changes of that long are told together. */
const GATHER_MS = 1_000
/** A connection that is back sooner was no trouble. */
const TROUBLE_MS = 4_000

/** Tell changes and trouble to `toasts`, and changes to `notify`. */
export function tellNews(store: AuditStore, client: Client, toasts: Toasts, notify: (text: string) => void): void {
  tellChanges(store, toasts, notify)
  tellTrouble(client, toasts)
}

function tellChanges(store: AuditStore, toasts: Toasts, notify: (text: string) => void): void {
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

function tellTrouble(client: Client, toasts: Toasts): void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let isTold = false
  const tell = () => {
    isTold = true
    toasts.add({ tone: "bad", text: troubleOf(client.getFeed().connection) })
  }
  client.subscribe(({ connection: { kind } }) => {
    const isTrouble = kind === "offline" || kind === "stopped" || kind === "connecting"
    if (isTrouble && !isTold) timer ??= setTimeout(tell, TROUBLE_MS)
    if (isTrouble || kind === "idle") return
    clearTimeout(timer)
    timer = undefined
    if (isTold) toasts.add({ tone: "good", text: "The connection is back." })
    isTold = false
  })
}

function troubleOf(connection: ConnectionState): string {
  if ("reason" in connection) return sentenceOf(connection.reason)
  return "The gateway does not answer; what is shown is the last that came."
}
