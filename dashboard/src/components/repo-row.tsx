import { memo } from "react"
import { pathOf, remoteOf } from "../state/arrange.ts"
import type { Repo } from "../state/report.ts"
import { lineOf, nameWords, plain, stateWords } from "../state/words.ts"
import { Age } from "./age.tsx"
import { StatusBadge } from "./status-badge.tsx"

interface Props {
  readonly repo: Repo
  readonly href: string
  /** Among all rows, from 1: only those that are to be seen are in the document. */
  readonly index: number
  /** When it changed before this page was opened, in ms. */
  readonly pastAt: number | undefined
  readonly isTabStop: boolean
  readonly isOpen: boolean
}

/** A row that changed before that is not new to anybody. */
const FLASH_MS = 2_400
/** Where nothing moves, and there is no room for its age. */
const MARK = "motion-reduce:max-sm:shadow-[inset_3px_0_var(--color-accent)]"

const ROW =
  "grid h-full items-center gap-x-4 px-4 grid-cols-[minmax(10rem,1.3fr)_8rem_minmax(0,1.6fr)_minmax(0,1.2fr)_5.5rem] max-lg:grid-cols-[minmax(8rem,1fr)_8rem_minmax(0,1.2fr)_5.5rem] max-sm:grid-cols-[minmax(0,1fr)_auto] max-sm:content-center max-sm:gap-y-0.5 max-sm:px-3.5 print:grid-cols-[minmax(8rem,1fr)_8rem_minmax(0,1.2fr)_minmax(0,1.6fr)_4.5rem] print:gap-x-2 print:px-2"

/** Renders again only if its repository changed: an unchanged one is the same object. */
export const RepoRow = memo(function RepoRow({ repo, href, index, pastAt, isTabStop, isOpen }: Props) {
  const where = pathOf(repo) ?? remoteOf(repo)
  const { mitigation, error, last_commit: committed } = repo.fields
  const hint = lineOf(mitigation ?? error) || (committed ? `Last commit ${lineOf(committed)}` : "")
  return (
    <div
      role="row"
      aria-rowindex={index + 1}
      data-open={isOpen || undefined}
      className={`${ROW} border-t border-line hover:bg-sunken data-open:bg-accent-ground ${flashOf(repo)}`}
    >
      <span role="rowheader" className="min-w-0">
        <a href={href} data-row={index} tabIndex={isTabStop ? 0 : -1} className="foreign block truncate font-semibold">
          {nameWords(repo.name)}
        </a>
      </span>
      <span role="gridcell" className="flex min-w-0">
        <StatusBadge status={repo.status} quiet={repo.status === "clean"} />
      </span>
      <span
        role="gridcell"
        className="foreign truncate font-mono text-xs text-quiet max-sm:col-span-2 print:col-span-1 print:whitespace-normal"
      >
        {plain(where ?? "")}
      </span>
      <span role="gridcell" className="foreign truncate text-quiet max-lg:hidden print:block print:whitespace-normal">
        {hint}
      </span>
      <span role="gridcell" className="text-right text-xs text-quiet max-sm:hidden print:block">
        {repo.changedAt === null ? (
          pastAt !== undefined && <Age at={pastAt} />
        ) : (
          <span className="font-semibold text-accent">
            <Age at={repo.changedAt} />
          </span>
        )}
      </span>
    </div>
  )
})

/** Alternates, so that the animation begins again when the row changes while it runs. */
function flashOf({ changedAt }: Repo): string {
  if (changedAt === null || Date.now() - changedAt > FLASH_MS) return ""
  return `${MARK} ${changedAt % 2 ? "animate-flash-a" : "animate-flash-b"}`
}

/** The names of the columns, in the same grid. */
export function RepoHeader() {
  return (
    <div role="row" aria-rowindex={1} className={`${ROW} h-8! text-xs text-quiet max-sm:sr-only`}>
      <span role="columnheader">Name</span>
      <span role="columnheader">Status</span>
      <span role="columnheader">Where</span>
      <span role="columnheader" className="max-lg:hidden print:block">
        Note
      </span>
      <span role="columnheader" className="text-right max-sm:hidden print:block">
        Changed
      </span>
    </div>
  )
}

export function GroupRow({ name, count, index }: { name: string; count: number; index: number }) {
  return (
    <div
      role="row"
      aria-rowindex={index + 1}
      className="flex h-full items-end gap-2 border-t border-line bg-sunken px-4 pb-1.5 max-sm:px-3.5 print:grid-cols-[minmax(8rem,1fr)_8rem_minmax(0,1.2fr)_minmax(0,1.6fr)_4.5rem] print:gap-x-2 print:px-2"
    >
      <span role="gridcell" aria-colspan={5} className="foreign truncate text-xs font-semibold">
        {stateWords(name)} <span className="font-normal text-quiet tabular-nums">{count.toLocaleString()}</span>
      </span>
    </div>
  )
}
