import { type RefObject, useLayoutEffect, useState } from "react"
import { useIsKiosk } from "./use-kiosk.ts"

/**
 * Give how many rows of a list to show: on a wall screen, where nobody scrolls, as many as fit into its height.
 *
 * @param most How many elsewhere.
 */
export function useFitting(list: RefObject<HTMLElement | null>, most: number): number {
  const isKiosk = useIsKiosk()
  const [fitting, setFitting] = useState(most)
  useLayoutEffect(() => {
    const element = list.current
    if (!isKiosk || !element) return setFitting(most)
    const measure = () => {
      const row = element.firstElementChild?.getBoundingClientRect().height
      if (row) setFitting(Math.max(1, Math.floor(element.clientHeight / row)))
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [isKiosk, list, most])
  return fitting
}
