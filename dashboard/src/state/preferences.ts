/** What the person chose, remembered in this browser. */

import type { Mode } from "../client/index.ts"
import { nameOf, recall, remember } from "./storage.ts"

export interface Preferences {
  readonly theme: "system" | "light" | "dark"
  readonly mode: Mode
  /** Whether the browser should notify of changes while the page is not to be seen. */
  readonly notify: boolean
}

export const INTERVALS_S = [5, 10, 30, 60, 300] as const

export interface PreferenceStore {
  get(): Preferences
  set(change: Partial<Preferences>): void
  subscribe(listener: () => void): () => void
}

export function makePreferences(): PreferenceStore {
  let preferences = read()
  const listeners = new Set<() => void>()
  const tell = () => {
    for (const listener of listeners) listener()
  }
  // What is chosen in one tab is so in all of them: they have one connection.
  addEventListener("storage", ({ key }) => {
    if (key !== null && key !== nameOf("preferences")) return
    preferences = read()
    tell()
  })
  return {
    get: () => preferences,
    set(change) {
      preferences = { ...preferences, ...change }
      remember("preferences", preferences)
      tell()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** What is remembered may be of another version of this page. */
function read(): Preferences {
  const { theme, mode, notify } = recall<Partial<Preferences> | null>("preferences", null) ?? {}
  const isSlow = mode?.live === false && INTERVALS_S.some((each) => each === mode.everyS)
  return {
    theme: theme === "light" || theme === "dark" ? theme : "system",
    mode: isSlow ? mode : { live: true },
    notify: notify === true,
  }
}
