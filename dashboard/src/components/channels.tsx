import { useShared } from "../hooks/context.ts"
import { useFeed } from "../hooks/use-feed.ts"
import type { Gateway } from "../state/gateway.ts"
import { Icon } from "./icon.tsx"

interface Props {
  /** How each fares, in a word, once that is known. */
  readonly conditions: Readonly<Record<string, string>>
}

/** The other reports that this gateway serves. */
export function Channels({ conditions }: Props) {
  const { gateway } = useShared()
  // Most are told before the report is, so that nothing moves for them.
  const told = useFeed((feed) => feed.hello?.channels)
  const names = told ?? Object.keys(conditions)
  const present = useFeed((feed) => feed.follower.channel)
  if (names.length < 2) return null
  return (
    <nav aria-label="Reports" className="flex flex-wrap gap-1.5 print:hidden">
      {names.map((name) => {
        const troubled = (conditions[name] ?? "healthy") !== "healthy"
        return (
          <a
            key={name}
            href={addressOf(gateway, name)}
            aria-current={name === present ? "page" : undefined}
            className="foreign inline-flex items-center gap-1.5 rounded-full border border-line bg-card px-3 py-0.5 hover:border-edge aria-[current]:border-accent aria-[current]:font-semibold aria-[current]:text-accent"
          >
            {troubled && <Icon name="trouble" className="size-3.5" />}
            {name}
            {troubled && <span className="sr-only"> ({conditions[name]})</span>}
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
