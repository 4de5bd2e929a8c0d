import { type ReactNode, useEffect, useRef } from "react"

interface Props {
  readonly label: string
  readonly onClose: () => void
  readonly children: ReactNode
}

/** Of whatever it stands beside: below this width it is in its place, and all around it stays to be seen and used. */
export const BESIDE = "max-lg:hidden"
const NARROW = "screen and (max-width: 1023.9px)"

/** What is open of the content, beside it or in its place. */
export function Sheet({ label, onClose, children }: Props) {
  const sheet = useRef<HTMLElement>(null)
  useEffect(() => {
    if (matchMedia(NARROW).matches) sheet.current?.scrollIntoView()
  }, [])
  useEffect(() => {
    const leave = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !document.querySelector(":popover-open")) onClose()
    }
    addEventListener("keydown", leave)
    return () => removeEventListener("keydown", leave)
  }, [onClose])
  return (
    <aside
      ref={sheet}
      aria-label={label}
      className="card scroll-mt-17 max-lg:w-full lg:sticky lg:top-17 lg:max-h-[calc(100dvh-5.5rem)] lg:w-104 lg:shrink-0 lg:self-start lg:overflow-y-auto print:static! print:max-h-none! print:w-auto! print:overflow-visible! print:break-inside-auto"
    >
      {children}
    </aside>
  )
}
