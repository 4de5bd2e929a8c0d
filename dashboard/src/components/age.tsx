import { useNow } from "../hooks/use-now.ts"
import { ageOf, agoOf, dateOf } from "../state/words.ts"

interface Props {
  /** ms since 1970. */
  readonly at: number
  /** How much the clock that told it is ahead of this machine's, in ms. */
  readonly ahead?: number
  /** "12 s" in place of "12 s ago". */
  readonly bare?: boolean
}

/** How long ago something was, counting; the moment itself when pointed at. */
export function Age({ at, ahead = 0, bare = false }: Props) {
  const ms = useNow() + ahead - at
  if (Number.isNaN(at)) return null
  return (
    <time dateTime={new Date(at).toISOString()} title={dateOf(at)} className="tabular-nums whitespace-nowrap">
      {bare ? ageOf(ms) : agoOf(ms)}
    </time>
  )
}
