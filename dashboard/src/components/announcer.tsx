import { useEffect, useState } from "react"
import { useConnectionStatus } from "../hooks/use-feed.ts"

/** A transition that does not last is not worth to interrupt anybody. */
const LASTING_MS = 3_000

/** Tells screen readers how the connection fares, once that lasts. The region is there before its text changes. */
export function Announcer() {
  const { word, sentence, isSettled } = useConnectionStatus()
  const text = isSettled ? word : `${word}. ${sentence}`
  const [told, setTold] = useState("")
  useEffect(() => {
    const timer = setTimeout(() => setTold(`Connection: ${text}`), LASTING_MS)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <p role="status" aria-live="polite" className="sr-only">
      {told}
    </p>
  )
}
