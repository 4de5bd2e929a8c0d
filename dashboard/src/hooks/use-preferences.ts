import { useSyncExternalStore } from "react"
import type { Preferences } from "../state/preferences.ts"
import { useShared } from "./context.ts"

/** What the person chose. */
export function usePreferences(): Preferences {
  const { preferences } = useShared()
  return useSyncExternalStore(preferences.subscribe, preferences.get)
}
