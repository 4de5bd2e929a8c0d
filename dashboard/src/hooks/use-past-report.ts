import { useCallback, useEffect, useMemo, useState } from "react"
import type { Gateway } from "../state/gateway.ts"
import type { AuditReport } from "../state/report.ts"
import { makeShelf, type Shelf } from "../state/shelf.ts"
import { useShared } from "./context.ts"
import { useFeed, useView } from "./use-feed.ts"

interface PastReport {
  /** `null` until it is here. */
  readonly report: AuditReport | null
  /** Why it could not be had, and what tries it again. */
  readonly error: unknown
  readonly ask: () => void
}

const shelves = new WeakMap<Gateway, Shelf>()
/** Who scrubs passes many that need not be asked for. */
const PASSING_MS = 120
const NOTHING = { name: null, report: null, error: null }

/** Give a report by its name: the one that is shown, or one of the history. */
export function usePastReport(name: string | null): PastReport {
  const { gateway } = useShared()
  const present = useView((view) => (view.name === name ? view.report : null))
  const [fetched, setFetched] = useState<Omit<PastReport, "ask"> & { name: string | null }>(NOTHING)
  const [asked, setAsked] = useState(0)
  const ask = useCallback(() => setAsked((times) => times + 1), [])
  const here = present ?? (name === null ? null : shelfOf(gateway).peek(name))
  const isNeeded = name !== null && here === null
  const connection = useFeed((feed) => feed.connection.kind)
  useEffect(() => {
    if (name !== null && present) shelfOf(gateway).keep(name, present)
  }, [gateway, name, present])
  // biome-ignore lint/correctness/useExhaustiveDependencies(connection): what failed may work with another
  // biome-ignore lint/correctness/useExhaustiveDependencies(asked): or later
  useEffect(() => {
    if (!isNeeded) return undefined
    const abort = new AbortController()
    const fetch = async () => {
      const found = await shelfOf(gateway)
        .fetch(name, abort.signal)
        .then((report) => ({ name, report, error: null }))
        .catch((error: unknown) => ({ name, report: null, error }))
      if (!abort.signal.aborted) setFetched(found)
    }
    const timer = setTimeout(fetch, PASSING_MS)
    return () => {
      abort.abort()
      clearTimeout(timer)
    }
  }, [gateway, name, isNeeded, connection, asked])
  return useMemo(() => {
    if (here) return { report: here, error: null, ask }
    return { ...(fetched.name === name ? fetched : NOTHING), ask }
  }, [here, fetched, name, ask])
}

function shelfOf(gateway: Gateway): Shelf {
  const shelf = shelves.get(gateway) ?? makeShelf(gateway)
  shelves.set(gateway, shelf)
  return shelf
}
