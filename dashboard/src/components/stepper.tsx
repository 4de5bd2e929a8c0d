import { useView } from "../hooks/use-feed.ts"
import type { Entry } from "../state/history.ts"
import { whenOf } from "../state/history.ts"
import { Age } from "./age.tsx"
import { Icon } from "./icon.tsx"

interface Props {
  readonly label: string
  readonly entries: readonly Entry[]
  readonly at: number
  readonly onMove: (at: number) => void
}

/** Which report is looked at, and the one before and after it. */
export function Stepper({ label, entries, at, onMove }: Props) {
  const ahead = useView((view) => view.serverAhead)
  const entry = entries[at]
  const last = entries.length - 1
  return (
    <div role="group" aria-label={label} className="flex min-w-0 items-center gap-1.5 max-sm:w-full">
      <button type="button" className="button size-8 px-0" disabled={at <= 0} onClick={() => onMove(at - 1)}>
        <Icon name="chevron" className="size-4 rotate-180" />
        <span className="sr-only">{label}: the report before</span>
      </button>
      <p className="min-w-0 flex-1 px-1 leading-4.5 tabular-nums">
        <span className="block font-semibold sm:truncate">
          <span className="font-normal text-quiet">{label}</span> {entry ? whenOf(entry) : "a report that is not kept"}
        </span>
        {entry && (
          <span className="block truncate text-xs text-quiet">
            {at === last ? "The newest" : `Report ${(at + 1).toLocaleString()} of ${entries.length.toLocaleString()}`}
            {!Number.isNaN(entry.at) && (
              <>
                {", "}
                <Age at={entry.at} ahead={ahead} />
              </>
            )}
          </span>
        )}
      </p>
      <button type="button" className="button size-8 px-0" disabled={at >= last} onClick={() => onMove(at + 1)}>
        <Icon name="chevron" />
        <span className="sr-only">{label}: the report after</span>
      </button>
    </div>
  )
}
