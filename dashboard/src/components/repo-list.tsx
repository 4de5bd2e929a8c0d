import { useWindowVirtualizer } from "@tanstack/react-virtual"
import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from "react"
import { useMedia, usePrinting } from "../hooks/use-media.ts"
import type { Row } from "../state/arrange.ts"
import { GroupRow, RepoHeader, RepoRow } from "./repo-row.tsx"

interface Props {
  readonly rows: readonly Row[]
  /** The key of the repository whose details are open. */
  readonly open: string | null
  /** When a repository changed before this page was opened, in ms. */
  readonly pastAt: ReadonlyMap<string, number>
  readonly hrefOf: (key: string) => string
  readonly onOpen: (key: string) => void
}

const OVERSCAN = 8

/** The rows that are to be seen, and a few more; all of them on paper. */
export function RepoList({ rows, open, pastAt, hrefOf, onOpen }: Props) {
  const list = useRef<HTMLDivElement>(null)
  const isNarrow = useMedia("(max-width: 639.9px)")
  const rem = useRem()
  const height = (isNarrow ? 3.75 : 2.25) * rem
  const top = useTop(list)
  // Whoever has one open prints that one.
  const isPrinting = usePrinting() && open === null
  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => height,
    overscan: isPrinting ? rows.length : OVERSCAN,
    scrollMargin: top,
    // What has the focus is not to be behind the bars at the edges.
    scrollPaddingStart: 3.5 * rem,
    scrollPaddingEnd: 4 * rem,
    getItemKey: (at) => rows[at]?.key ?? at,
  })
  // biome-ignore lint/correctness/useExhaustiveDependencies(height): rows of another height are to be placed anew
  useEffect(() => virtualizer.measure(), [virtualizer, height])
  const { tabStop, onKeyDown } = useRoving(rows, open, (at) => virtualizer.scrollToIndex(at), list)
  return (
    <div
      role="grid"
      aria-label="Repositories"
      aria-rowcount={rows.length + 1}
      onKeyDown={onKeyDown}
      className="card overflow-clip print:break-inside-auto print:overflow-visible"
    >
      <RepoHeader />
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the link in the row does the same by keyboard */}
      <div
        ref={list}
        role="rowgroup"
        className="relative cursor-pointer"
        style={isPrinting ? {} : { height: virtualizer.getTotalSize() }}
        onClick={(event) => {
          const link = (event.target as Element).closest("[role=row]")?.querySelector<HTMLElement>("[data-row]")
          const row = rows[Number(link?.dataset.row) - 1]
          if (row?.kind === "repo" && !(event.target as Element).closest("a")) onOpen(row.key)
        }}
      >
        {virtualizer.getVirtualItems().map(({ index, key, start, size }) => {
          const row = rows[index]
          // On paper in the flow, so that no row is cut in two.
          const place = isPrinting ? { minHeight: size } : { height: size, transform: `translateY(${start - top}px)` }
          return row ? (
            <div
              key={key}
              role="presentation"
              className="absolute inset-x-0 top-0 break-inside-avoid print:static"
              style={place}
            >
              {row.kind === "group" ? (
                <GroupRow name={row.name} count={row.count} index={index + 1} />
              ) : (
                <RepoRow
                  repo={row.repo}
                  href={hrefOf(row.key)}
                  index={index + 1}
                  pastAt={pastAt.get(row.key)}
                  isTabStop={index === tabStop}
                  isOpen={row.key === open}
                />
              )}
            </div>
          ) : null
        })}
      </div>
    </div>
  )
}

/** Where the list begins on the page, in px: what is above it comes and goes. */
function useTop(list: { current: HTMLElement | null }): number {
  const [top, setTop] = useState(0)
  useLayoutEffect(() => {
    const measure = () => {
      const [box] = list.current?.getClientRects() ?? []
      if (box) setTop(Math.round(box.top + scrollY)) // else it is not to be seen
    }
    measure()
    // It calls back when the layout is done anyway; to measure at each rendering would force one.
    const observer = new ResizeObserver(measure)
    observer.observe(document.body)
    return () => observer.disconnect()
  }, [list])
  return top
}

/** The size of the page's type in px; the kiosk mode has another. */
function useRem(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16
}

/**
 * One stop of the Tab key for all rows; the arrow keys go from one to the next.
 *
 * The row whose details are open is the stop, and has the focus when they are closed.
 */
function useRoving(
  rows: readonly Row[],
  open: string | null,
  show: (at: number) => void,
  list: { current: HTMLElement | null },
) {
  const [stop, setStop] = useState(open)
  const wasOpen = useRef(false)
  const wanted = useRef<number | null>(null)
  if (open !== null && open !== stop) setStop(open)
  const at = rows.findIndex(({ key }) => key === stop)
  const tabStop = at < 0 ? rows.findIndex(({ kind }) => kind === "repo") : at
  const go = (to: number) => {
    wanted.current = to
    show(to)
  }
  useEffect(() => {
    if (wasOpen.current && open === null && tabStop >= 0) go(tabStop)
    wasOpen.current = open !== null
    if (wanted.current === null) return
    const link = list.current?.querySelector<HTMLElement>(`[data-row="${wanted.current + 1}"]`)
    if (!link) return // it is rendered once it was scrolled to
    link.focus({ preventScroll: true })
    wanted.current = null
  })
  const onKeyDown = (event: KeyboardEvent) => {
    const focused = (event.target as HTMLElement).dataset.row
    const next = focused === undefined ? null : nextRow(rows, Number(focused) - 1, event.key)
    if (next === null) return
    event.preventDefault()
    setStop(rows[next]?.key ?? null)
    go(next)
  }
  return { tabStop, onKeyDown }
}

const PAGE = 12

function nextRow(rows: readonly Row[], at: number, key: string): number | null {
  const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE }
  const to = key === "Home" ? 0 : key === "End" ? rows.length - 1 : at + (steps[key] ?? Number.NaN)
  if (Number.isNaN(to)) return null
  const direction = to < at && key !== "Home" ? -1 : 1
  for (let next = Math.min(Math.max(to, 0), rows.length - 1); rows[next]; next += direction) {
    if (rows[next]?.kind === "repo") return next
  }
  return null
}
