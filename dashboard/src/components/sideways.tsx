import { type ReactNode, useLayoutEffect, useRef, useState } from "react"

interface Props {
  /** What is in it, for people. */
  readonly label: string
  readonly className?: string
  readonly children: ReactNode
}

/** What may be wider than its place, scrolled sideways within; by keyboard, too, where there is something to scroll. */
export function Sideways({ label, className = "", children }: Props) {
  const frame = useRef<HTMLElement>(null)
  const [isCut, setCut] = useState(false)
  useLayoutEffect(() => {
    const element = frame.current as HTMLElement
    const measure = () => setCut(element.scrollWidth > element.clientWidth)
    measure()
    const observer = new ResizeObserver(measure)
    for (const each of [element, ...element.children]) observer.observe(each)
    return () => observer.disconnect()
  }, [])
  return (
    <section
      ref={frame}
      aria-label={isCut ? label : undefined}
      tabIndex={isCut ? 0 : undefined}
      className={`overflow-x-auto ${className}`}
    >
      {children}
    </section>
  )
}
