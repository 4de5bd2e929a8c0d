import { useMemo, useRef } from "react"
import { useFitting } from "../hooks/use-fitting.ts"
import { hashOf, hashOfRepo } from "../route.ts"
import { arrange, pathOf, type Row, remoteOf } from "../state/arrange.ts"
import type { AuditReport } from "../state/report.ts"
import { lineOf, nameWords, plain } from "../state/words.ts"
import { Icon } from "./icon.tsx"
import { StatusBadge } from "./status-badge.tsx"

const SHOWN = 12
/** An address of more is for nobody; there they come first all the same. */
const MOST_STATES = 20
/** On a wall screen it takes the height that is left, and as many rows as fit into it. */
export const FITTING = "in-data-kiosk:lg:min-h-0 in-data-kiosk:lg:flex-1 in-data-kiosk:lg:overflow-hidden"
const ALL = { search: "", statuses: [], sort: "attention", group: "none" } as const

/** The repositories that are not clean, the worst first. */
export function AttentionPanel({ report }: { report: AuditReport }) {
  const rows = useMemo(() => arrange(report, ALL).rows.filter(isTroubled), [report])
  const statuses = useMemo(() => [...new Set(rows.map((row) => row.repo.status))], [rows])
  const list = useRef<HTMLUListElement>(null)
  const most = useFitting(list, SHOWN)
  return (
    <section aria-labelledby="attention-title" className="card flex flex-col in-data-kiosk:min-h-0">
      <header className="flex min-h-11 items-center gap-3 px-4 py-1.5">
        <h2 id="attention-title" className="title">
          Needs attention
        </h2>
        <span className="text-xs text-quiet tabular-nums">{rows.length.toLocaleString()}</span>
      </header>
      {report.repos.length === 0 && (
        <p className="border-t border-line px-4 py-6 text-center text-quiet">The report lists no repositories.</p>
      )}
      {rows.length === 0 && report.repos.length > 0 && (
        <p data-tone="good" className="flex items-center justify-center gap-2 border-t border-line px-4 py-6 text-tone">
          <Icon name="check" />
          Every repository is clean.
        </p>
      )}
      <ul ref={list} className={FITTING}>
        {rows.slice(0, most).map(({ key, repo }) => (
          <li
            key={key}
            className="flex min-h-10 items-center gap-3 border-t border-line px-4 py-1.5 in-data-kiosk:h-13"
          >
            <span className="min-w-0 flex-1">
              <a href={hashOfRepo(key)} className="foreign block truncate font-semibold">
                {nameWords(repo.name)}
              </a>
              <span className="foreign block truncate text-xs text-quiet">
                {lineOf(repo.fields.mitigation ?? repo.fields.error) || plain(pathOf(repo) ?? remoteOf(repo) ?? "")}
              </span>
            </span>
            <StatusBadge status={repo.status} />
          </li>
        ))}
      </ul>
      {rows.length > most && (
        <a
          href={hashOf("repositories", { status: statuses.length > MOST_STATES ? null : statuses })}
          className="link border-t border-line px-4 py-2"
        >
          {(rows.length - most).toLocaleString()} more
        </a>
      )}
    </section>
  )
}

function isTroubled(row: Row): row is Row & { kind: "repo" } {
  return row.kind === "repo" && row.repo.status !== "clean"
}
