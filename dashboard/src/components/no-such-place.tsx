import { plain } from "../state/words.ts"
import { Icon } from "./icon.tsx"

/** That the address names a place that there is not. */
export function NoSuchPlace({ page, shown }: { page: string; shown: string }) {
  return (
    <p role="status" data-tone="warn" className="card flex items-center gap-2.5 px-4 py-2.5 text-tone">
      <Icon name="trouble" />
      <span className="foreign min-w-0">
        There is no page “{plain(page.slice(0, 40))}” here; this is the {shown}.
      </span>
    </p>
  )
}
