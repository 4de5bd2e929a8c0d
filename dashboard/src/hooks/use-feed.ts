/** The client's feed, and the report that it comes to. */

import { useCallback, useMemo, useSyncExternalStore } from "react"
import type { Client, ConnectionState, Feed, Mode } from "../client/index.ts"
import { type Situation, situationOf } from "../state/situation.ts"
import type { AuditView } from "../state/view.ts"
import { useShared } from "./context.ts"
import { usePreferences } from "./use-preferences.ts"

/** The part of the feed that `select` gives; rendered again when that is another object. */
export function useFeed<Part>(select: (feed: Feed) => Part): Part {
  const { client } = useShared()
  const subscribe = useCallback((listener: () => void) => client.subscribe(listener), [client])
  return useSyncExternalStore(subscribe, () => select(client.getFeed()))
}

/** The connection itself: its state, and what can be done about it. */
export function useWebSocket(): Pick<Client, "tryNow" | "refresh" | "diagnostics"> & {
  connection: ConnectionState
  mode: Mode
  setMode: (mode: Mode) => void
} {
  const { client, preferences } = useShared()
  const connection = useFeed((feed) => feed.connection)
  const { mode } = usePreferences()
  return useMemo(() => {
    const setMode = (next: Mode) => preferences.set({ mode: next })
    const [tryNow, refresh] = [() => client.tryNow(), () => client.refresh()]
    return { connection, mode, setMode, tryNow, refresh, diagnostics: () => client.diagnostics() }
  }, [client, connection, mode, preferences])
}

/** How the connection fares, in words. */
export function useConnectionStatus(): Situation & { connection: ConnectionState; isSettled: boolean } {
  const connection = useFeed((feed) => feed.connection)
  const status = useFeed((feed) => feed.status)
  const { mode } = usePreferences()
  return useMemo(() => {
    const isSettled = connection.kind === "live" || connection.kind === "degraded"
    return { ...situationOf(connection, mode, status), connection, isSettled }
  }, [connection, mode, status])
}

/** The part of the view that `select` gives; rendered again when that is another object. */
export function useView<Part>(select: (view: AuditView) => Part): Part {
  const { store } = useShared()
  return useSyncExternalStore(store.subscribe, () => select(store.getView()))
}

const whole = (view: AuditView) => view

/** The report with all that is known of it, and `refresh`. */
export function useAuditReport(): AuditView & { refresh: () => void; markSeen: () => void } {
  const { client, store } = useShared()
  const view = useView(whole)
  return useMemo(() => ({ ...view, refresh: () => client.refresh(), markSeen: store.markSeen }), [view, client, store])
}
