import type { Tone } from "../state/toasts.ts"
import { stateWords } from "../state/words.ts"
import { Icon, type IconName } from "./icon.tsx"

const LOOKS: Readonly<Record<string, readonly [Tone, IconName]>> = {
  clean: ["good", "check"],
  dirty: ["warn", "plusminus"],
  missing: ["bad", "close"],
  mismatched: ["bad", "notequal"],
  extra: ["note", "plus"],
}

/** The tone of a state; `undefined` of one that this page does not know, which is neither good nor bad. */
export function toneOf(status: string): Tone | undefined {
  return Object.hasOwn(LOOKS, status) ? LOOKS[status]?.[0] : undefined
}

function iconOf(status: string): IconName {
  return (Object.hasOwn(LOOKS, status) ? LOOKS[status]?.[1] : undefined) ?? "question"
}

/** A repository's state: icon, word and colour. */
export function StatusBadge({ status, quiet = false }: { status: string; quiet?: boolean }) {
  const word = stateWords(status)
  const look = quiet ? "text-tone" : "bg-tone-ground text-tone px-2"
  return (
    <span
      data-tone={toneOf(status) ?? "none"}
      className={`inline-flex max-w-[min(100%,14rem)] items-center gap-1 rounded-full py-px text-xs font-semibold ${look}`}
    >
      <Icon name={iconOf(status)} className="size-3.5" />
      <span className="foreign truncate" title={word}>
        {word}
      </span>
    </span>
  )
}
