import { useView } from "../hooks/use-feed.ts"
import { hashOf } from "../route.ts"
import type { AuditReport } from "../state/report.ts"
import { Sparkline } from "./sparkline.tsx"
import { toneOf } from "./status-badge.tsx"

/** Each count with its last reports as a line, and by how much it is different from what was looked at. */
export function CountTiles({ report }: { report: AuditReport }) {
  const trail = useView((view) => view.trail)
  const seen = new Map(useView((view) => view.seenCounts))
  return (
    <section
      aria-label="Summary"
      className="grid grid-cols-[repeat(auto-fit,minmax(9rem,1fr))] gap-3 max-sm:grid-cols-3 max-sm:gap-2"
    >
      {report.counts.map(([name, value]) => (
        <a
          key={name}
          href={hashOf("repositories", { status: name === "total" ? null : name })}
          data-tone={toneOf(name) ?? "none"}
          className="card block px-4 pt-3 pb-2.5 hover:border-edge max-sm:px-3 max-sm:pt-2"
        >
          <span className="block text-xs text-quiet capitalize">{name}</span>
          <span className="flex items-baseline gap-2">
            <span
              className={`text-[1.75rem] leading-9 in-data-kiosk:text-[2.75rem] in-data-kiosk:leading-[3.25rem] font-semibold tracking-tight tabular-nums ${name === "total" ? "text-ink" : value ? "text-tone" : "text-quiet"}`}
            >
              {value.toLocaleString()}
            </span>
            <Difference by={value - (seen.get(name) ?? value)} />
          </span>
          <span className={`mt-1 block ${name === "total" || !value ? "text-edge" : "text-tone"}`}>
            <Sparkline values={trail.map((point) => point.counts[name] ?? Number.NaN)} />
          </span>
        </a>
      ))}
    </section>
  )
}

function Difference({ by }: { by: number }) {
  if (by === 0) return null
  return (
    <span className="text-xs font-medium text-quiet tabular-nums in-data-kiosk:hidden">
      {by > 0 ? "+" : "−"}
      {Math.abs(by).toLocaleString()}
      <span className="sr-only"> since you looked</span>
    </span>
  )
}
