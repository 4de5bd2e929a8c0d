/** What the whole page shares; made once, in main.tsx. */

import { createContext, useContext } from "react"
import type { Client } from "../client/index.ts"
import type { Gateway } from "../state/gateway.ts"
import type { Latencies } from "../state/painted.ts"
import type { Past } from "../state/past.ts"
import type { PreferenceStore } from "../state/preferences.ts"
import type { AuditStore } from "../state/store.ts"
import type { Toasts } from "../state/toasts.ts"

export interface Shared {
  readonly client: Client
  readonly store: AuditStore
  readonly gateway: Gateway
  readonly toasts: Toasts
  readonly preferences: PreferenceStore
  readonly latencies: Latencies
  readonly past: Past
}

export const SharedContext = createContext<Shared | null>(null)

export function useShared(): Shared {
  const shared = useContext(SharedContext)
  if (!shared) throw new Error("this is not within a SharedContext")
  return shared
}
