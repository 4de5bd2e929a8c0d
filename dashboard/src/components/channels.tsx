import { useShared } from "../hooks/context.ts"
import type { Gateway } from "../state/gateway.ts"
import { Icon } from "./icon.tsx"

interface Props {
  readonly present: string | null
  /** How each fares, in a word. */
  readonly channels: Readonly<Record<string, string>>
}

/** The other reports that this gateway serves. */
export function Channels({ present, channels }: Props) {
  const { gateway } = useShared()
  const names = Object.keys(channels)
  if (names.length < 2) return null
  return (
    <nav aria-label="Reports" className="flex flex-wrap gap-1.5 print:hidden">
      {names.map((name) => {
        const troubled = channels[name] !== "healthy"
        return (
          <a
            key={name}
            href={addressOf(gateway, name)}
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

/** The page of another channel; what else stands in the address stays, and another tab needs the token, too. */
function addressOf(gateway: Gateway, channel: string): string {
  return gateway.address("", { ...Object.fromEntries(new URLSearchParams(location.search)), channel })
}
