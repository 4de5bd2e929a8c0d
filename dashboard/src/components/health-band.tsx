import { memo } from "react"
import type { Entry } from "../state/history.ts"
import type { Tone } from "../state/toasts.ts"
import { lineOr } from "../state/words.ts"
import { Icon, type IconName } from "./icon.tsx"

/** Told by height as well as by colour: the worse, the higher. */
const LOOKS: Readonly<Record<string, readonly [Tone, IconName, number]>> = {
  green: ["good", "check", 30],
  yellow: ["warn", "trouble", 60],
  red: ["bad", "close", 100],
}

function lookOf(health: string | null) {
  return Object.hasOwn(LOOKS, health ?? "") ? LOOKS[health ?? ""] : undefined
}

export function HealthWord({ health }: { health: string | null }) {
  const [tone, icon] = lookOf(health) ?? ["none", "question"]
  return (
    <span data-tone={tone} className="flex max-w-24 items-center gap-1 text-tone">
      <Icon name={icon as IconName} className="size-3.5" />
      <span className="foreign truncate capitalize">{lineOr("not told", health)}</span>
    </span>
  )
}

interface Props {
  readonly entries: readonly Entry[]
  /** Where each begins to hold, from 0 to 1. */
  readonly xs: readonly number[]
}

/** The health that each report told, until the next. */
export const HealthBand = memo(function HealthBand({ entries, xs }: Props) {
  return (
    <div aria-hidden="true" className="absolute inset-x-0 inset-y-1.5">
      {spansOf(entries, xs).map(({ health, begin, end }) => {
        const [tone, , height] = lookOf(health) ?? ["none", "question", 15]
        const style = { left: `${begin * 100}%`, width: `${(end - begin) * 100}%`, height: `${height}%` }
        return <span key={begin} data-tone={tone} style={style} className="absolute bottom-0 min-w-px bg-tone/70" />
      })}
    </div>
  )
})

interface Span {
  readonly health: string | null
  readonly begin: number
  readonly end: number
}

/** Reports that say the same are one span; those of the same moment are the last of them. */
function spansOf(entries: readonly Entry[], xs: readonly number[]): Span[] {
  const spans: Span[] = []
  for (const [at, { health }] of entries.entries()) {
    const [begin, end] = [xs[at] ?? 0, xs[at + 1] ?? 1]
    const last = spans.at(-1)
    if (last?.health === health) spans[spans.length - 1] = { ...last, end }
    else if (end > begin || at === entries.length - 1) spans.push({ health, begin, end })
  }
  return spans
}
