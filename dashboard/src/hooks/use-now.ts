import { useSyncExternalStore } from "react"

const listeners = new Set<() => void>()
let now = Date.now()
let timer: ReturnType<typeof setInterval> | undefined

/** One timer for the whole page, however many ages it shows. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(() => {
    now = Date.now()
    for (const each of listeners) each()
  }, 1_000)
  return () => {
    listeners.delete(listener)
    if (listeners.size) return
    clearInterval(timer)
    timer = undefined
  }
}

function get(): number {
  // Nobody was counting: what is rendered first would be as old as the last count.
  if (timer === undefined) now = Date.now()
  return now
}

/** The time in ms, each second anew. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, get)
}
