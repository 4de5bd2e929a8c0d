import { useEffect, useState } from "react"
import { Icon } from "./icon.tsx"

/** @param what What is copied, for people: "path". @param text Read when the button is pressed. */
export function CopyButton({ what, text, label }: { what: string; text: () => string; label?: string }) {
  const [told, setTold] = useState("")
  useEffect(() => {
    if (!told) return undefined
    const timer = setTimeout(() => setTold(""), 2_000)
    return () => clearTimeout(timer)
  }, [told])
  const copy = () => {
    // Only secure contexts (https, localhost) have a clipboard.
    const copied = navigator.clipboard?.writeText(text()) ?? Promise.reject(new Error("no clipboard"))
    copied.then(
      () => setTold("Copied"),
      () => setTold("Not allowed here"),
    )
  }
  return (
    <button
      type="button"
      onClick={copy}
      className={`in-data-kiosk:hidden print:hidden ${label ? "button" : "grid size-6 place-items-center rounded text-quiet hover:text-ink"}`}
    >
      <Icon name={told === "Copied" ? "check" : "copy"} className={label ? "size-4" : "size-3.5"} />
      {label ? <span>{told || label}</span> : <span className="sr-only">{told || `Copy ${what}`}</span>}
      <span role="status" className="sr-only">
        {told}
      </span>
    </button>
  )
}
