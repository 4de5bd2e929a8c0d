import { Icon } from "./icon.tsx"

interface Props {
  readonly present: string | null
  /** How each fares, in a word. */
  readonly channels: Readonly<Record<string, string>>
}

/** The other reports that this gateway serves. */
export function Channels({ present, channels }: Props) {
  const names = Object.keys(channels)
  if (names.length < 2) return null
  return (
    <nav aria-label="Reports" className="flex flex-wrap gap-1.5 print:hidden">
      {names.map((name) => {
        const troubled = channels[name] !== "healthy"
        return (
          <a
            key={name}
            href={addressOf(name)}
            aria-current={name === present ? "page" : undefined}
            className="foreign inline-flex items-center gap-1.5 rounded-full border border-line bg-card px-3 py-0.5 hover:border-edge aria-[current]:border-accent aria-[current]:font-semibold aria-[current]:text-accent"
          >
            {troubled && <Icon name="trouble" className="size-3.5" />}
            {name}
            {troubled && <span className="sr-only"> ({channels[name]})</span>}
          </a>
        )
      })}
    </nav>
  )
}

/** The page of another channel; the rest of the address stays. */
function addressOf(channel: string): string {
  const words = new URLSearchParams(location.search)
  words.set("channel", channel)
  return `?${words}`
}
