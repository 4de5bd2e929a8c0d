import { useSyncExternalStore } from "react"
import { flushSync } from "react-dom"

/** Whether a media query holds. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const list = matchMedia(query)
      list.addEventListener("change", listener)
      return () => list.removeEventListener("change", listener)
    },
    () => matchMedia(query).matches,
  )
}

let printing = false

/** Whether the page is being printed; rendered before it is. */
export function usePrinting(): boolean {
  return useSyncExternalStore(
    (listener) => {
      const set = (now: boolean) => () => {
        printing = now
        flushSync(listener)
      }
      const [before, after] = [set(true), set(false)]
      addEventListener("beforeprint", before)
      addEventListener("afterprint", after)
      return () => {
        removeEventListener("beforeprint", before)
        removeEventListener("afterprint", after)
      }
    },
    () => printing,
  )
}
