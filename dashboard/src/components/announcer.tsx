import { useEffect, useState } from "react"
import { useConnectionStatus } from "../hooks/use-feed.ts"
import { useTrouble } from "../hooks/use-trouble.ts"

/** A transition that does not last is not worth to interrupt anybody. */
const LASTING_MS = 3_000

/** Tells screen readers how the connection fares, once that lasts. The region is there before its text changes. */
export function Announcer() {
  const { word, isSettled } = useConnectionStatus()
  const trouble = useTrouble()
  const present = isSettled ? word : (trouble?.word ?? null)
  const sentence = isSettled ? "" : (trouble?.sentence ?? "")
  const [told, setTold] = useState({ word: "", sentence: "" })
  useEffect(() => {
    // An attempt: how it ends is told. Or the same as before, for another reason.
    if (present === null || present === told.word) return undefined
    const timer = setTimeout(() => setTold({ word: present, sentence }), isSettled ? LASTING_MS : 0)
    return () => clearTimeout(timer)
  }, [present, sentence, told, isSettled])
  return (
    <p role="status" aria-live="polite" className="sr-only">
      {told.word && `Connection: ${told.word}${told.sentence && `. ${told.sentence}`}`}
    </p>
  )
}
