import { useCallback, useEffect, useState, useSyncExternalStore } from "react"

/** The kiosk mode: large type and nothing to press. It stands in the address, so that a screen can be opened in it. */
export function useKiosk(): [boolean, (wanted: boolean) => void] {
  const [isKiosk, setKiosk] = useState(() => new URLSearchParams(location.search).has("kiosk"))
  useEffect(() => {
    document.documentElement.toggleAttribute("data-kiosk", isKiosk)
  }, [isKiosk])
  const choose = useCallback((wanted: boolean) => {
    const url = new URL(location.href)
    if (wanted) url.searchParams.set("kiosk", "")
    else url.searchParams.delete("kiosk")
    history.replaceState(null, "", url)
    setKiosk(wanted)
    // A browser may refuse, or have no such thing; the page is in its mode all the same.
    if (wanted) document.documentElement.requestFullscreen?.().catch(() => undefined)
    else if (document.fullscreenElement) document.exitFullscreen()
  }, [])
  useEffect(() => {
    const leave = () => document.fullscreenElement || choose(false)
    const cancel = (event: KeyboardEvent) => event.key === "Escape" && choose(false)
    if (!isKiosk) return undefined
    document.addEventListener("fullscreenchange", leave)
    addEventListener("keydown", cancel)
    return () => {
      document.removeEventListener("fullscreenchange", leave)
      removeEventListener("keydown", cancel)
    }
  }, [isKiosk, choose])
  return [isKiosk, choose]
}

/** Whether the page is in that mode, for what is far from where it is chosen. */
export function useIsKiosk(): boolean {
  return useSyncExternalStore(subscribe, () => document.documentElement.hasAttribute("data-kiosk"))
}

function subscribe(listener: () => void): () => void {
  const observer = new MutationObserver(listener)
  observer.observe(document.documentElement, { attributeFilter: ["data-kiosk"] })
  return () => observer.disconnect()
}
