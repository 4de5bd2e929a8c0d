import { useShared } from "../hooks/context.ts"
import { useFeed } from "../hooks/use-feed.ts"

/** Who serves this, and the same as JSON. */
export function PageFooter() {
  const { gateway } = useShared()
  const server = useFeed((feed) => feed.hello?.server)
  const links = [
    ["audit", "Report as JSON"],
    ["audit/history", "History"],
    ["api/ws/status", "Status"],
  ] as const
  return (
    <div className="flex flex-wrap gap-x-4 gap-y-1">
      <span className="foreign">{server ?? "Reportcast"}</span>
      <nav aria-label="Data" className="ml-auto flex gap-4">
        {links.map(([path, name]) => (
          <a key={path} href={gateway.address(path)} className="underline decoration-edge/50 underline-offset-3">
            {name}
          </a>
        ))}
      </nav>
    </div>
  )
}
