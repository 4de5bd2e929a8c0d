import { useConnectionStatus, useView } from "../hooks/use-feed.ts"
import { useTrouble } from "../hooks/use-trouble.ts"
import type { AuditReport } from "../state/report.ts"
import type { Tone } from "../state/toasts.ts"
import { dateOf, durationOf, lineOr, plain } from "../state/words.ts"
import { Age } from "./age.tsx"
import { Icon, type IconName } from "./icon.tsx"

const HEALTH: Readonly<Record<string, readonly [Tone, IconName, string, string]>> = {
  green: ["good", "check", "Green", "Everything is in order."],
  yellow: ["warn", "trouble", "Yellow", "Something needs attention."],
  red: ["bad", "close", "Red", "Something needs action."],
}

interface Props {
  readonly report: AuditReport
  /** How often a report is expected, in s, and when the next one is due, in ms; `null` where that is not known. */
  readonly everyS: number | null
  readonly dueAt: number | null
}

/** How everything stands, and of when that is. */
export function HealthBanner({ report, everyS, dueAt }: Props) {
  const ahead = useView((view) => view.serverAhead)
  const { isSettled } = useConnectionStatus()
  const isTrouble = useTrouble() !== null
  const stale = useView((view) => view.stale) && (isSettled || isTrouble)
  const known = Object.hasOwn(HEALTH, report.health ?? "") ? HEALTH[report.health ?? ""] : undefined
  const [tone, icon, word, meaning] = known ?? [
    "none",
    "question",
    lineOr("Not stated", report.health),
    UNKNOWN(report),
  ]
  return (
    <section
      aria-label="Health"
      data-tone={tone}
      className="card flex flex-wrap items-center gap-x-4 gap-y-2 border-l-4 border-l-tone px-5 py-4"
    >
      <span className="grid size-11 shrink-0 place-items-center rounded-full bg-tone-ground text-tone">
        <Icon name={icon} className="size-6" />
      </span>
      <div className="min-w-0 flex-1 basis-40">
        <h2 className="sr-only">Health</h2>
        <p className="foreign text-2xl leading-8 font-semibold tracking-tight">{word}</p>
        <p className="text-quiet">{meaning}</p>
      </div>
      <dl className="flex flex-wrap gap-x-8 gap-y-1 max-sm:w-full">
        <Fact name={stale ? "Report, may be out of date" : "Report"} title={plain(report.timestamp)}>
          {Number.isNaN(report.reportedAt) ? (
            <span className="foreign">{lineOr("Not stated", report.timestamp)}</span>
          ) : (
            <Age at={report.reportedAt} ahead={ahead} />
          )}
        </Fact>
        {!Number.isNaN(report.reportedAt) && <Fact name="Made">{dateOf(report.reportedAt)}</Fact>}
        {everyS !== null && (
          <Fact name="Expected" title={dueAt === null ? "" : `next at ${dateOf(dueAt)}`}>
            every {durationOf(everyS)}
          </Fact>
        )}
      </dl>
    </section>
  )
}

function UNKNOWN({ health }: AuditReport): string {
  return health === null ? "The report names no health_status." : "This page does not know that state."
}

function Fact({ name, title, children }: { name: string; title?: string; children: React.ReactNode }) {
  return (
    <div title={title}>
      <dt className="text-xs text-quiet">{name}</dt>
      <dd className="font-medium tabular-nums">{children}</dd>
    </div>
  )
}
