import { useEffect, useState } from "react"
import { useConnectionStatus } from "../hooks/use-feed.ts"
import { useTrouble } from "../hooks/use-trouble.ts"

/** A transition that does not last is not worth to interrupt anybody. */
const LASTING_MS = 3_000

/** Tells screen readers how the connection fares, once that lasts. The region is there before its text changes. */
export function Announcer() {
  const { word, isSettled } = useConnectionStatus()
  const trouble = useTrouble()
  const text = isSettled ? word : trouble && `${trouble.word}. ${trouble.sentence}`
  const [told, setTold] = useState("")
  useEffect(() => {
    if (text === null) return undefined // an attempt; how it ends is told
    const timer = setTimeout(() => setTold(`Connection: ${text}`), isSettled ? LASTING_MS : 0)
    return () => clearTimeout(timer)
  }, [text, isSettled])
  return (
    <p role="status" aria-live="polite" className="sr-only">
      {told}
    </p>
  )
}
