import { useEffect, useState } from "react"
import type { Situation } from "../state/situation.ts"
import { useConnectionStatus } from "./use-feed.ts"

/** A connection that is back sooner was no trouble. */
const LASTING_MS = 2_000
const SILENT = "The gateway does not answer."

/**
 * Give the trouble of the connection that lasts; `null` while there is none.
 *
 * It stays while attempts come and go, until one of them works: what is said of it does not blink with them.
 */
export function useTrouble(): Situation | null {
  const { connection, isSettled, ...situation } = useConnectionStatus()
  const [isLasting, setLasting] = useState(false)
  const [last, setLast] = useState<Situation | null>(null)
  const { kind } = connection
  const isTrouble = !isSettled && kind !== "idle"
  const isReason = kind === "offline" || kind === "stopped"
  // Attempts that fail in other ways are the same outage.
  if (isReason && last?.word !== situation.word) setLast(situation)
  if (!isTrouble && last) setLast(null)
  useEffect(() => {
    if (!isTrouble) return undefined
    const timer = setTimeout(() => setLasting(true), LASTING_MS)
    return () => {
      clearTimeout(timer)
      setLasting(false)
    }
  }, [isTrouble])
  if (kind === "stopped") return situation // no attempt follows
  if (!isTrouble || !isLasting) return null
  return last ?? { ...situation, icon: "trouble", tone: "bad", sentence: SILENT }
}
