import { useCallback, useMemo, useState } from "react"
import { hashOfRepo } from "../route.ts"
import { arrange, statusCounts, type Wish } from "../state/arrange.ts"
import type { AuditReport } from "../state/report.ts"
import { RepoDetails } from "./repo-details.tsx"
import { RepoList } from "./repo-list.tsx"
import { RepoToolbar } from "./repo-toolbar.tsx"
import { BESIDE } from "./sheet.tsx"

const ALL: Wish = { search: "", statuses: [], sort: "attention", group: "none" }
const NEVER = new Map<string, number>()

/** Every repository as a report of the history has it. */
export function PastRepos({ report }: { report: AuditReport }) {
  const [wish, setWish] = useState(ALL)
  const [open, setOpen] = useState<string | null>(null)
  const { rows, found } = useMemo(() => arrange(report, wish), [report, wish])
  const counts = useMemo(() => statusCounts(report.repos), [report])
  const repo = report.repos.find(({ key }) => key === open) ?? null
  const close = useCallback(() => setOpen(null), [])
  return (
    <div className="flex gap-4">
      <div
        className={`min-w-0 flex-1 space-y-3 ${open === null ? "" : BESIDE}`}
        onClickCapture={(event) => {
          const link = (event.target as Element).closest<HTMLElement>("a[data-row]")
          const row = rows[Number(link?.dataset.row) - 1]
          if (row?.kind !== "repo" || event.ctrlKey || event.metaKey || event.shiftKey) return
          event.preventDefault() // it leads to the repository as it is now
          setOpen(row.key)
        }}
      >
        <RepoToolbar
          wish={wish}
          counts={counts}
          found={found}
          total={report.repos.length}
          onWish={(change) => setWish({ ...wish, ...change })}
        />
        <RepoList rows={rows} open={open} pastAt={NEVER} hrefOf={hashOfRepo} onOpen={setOpen} />
      </div>
      {open !== null && <RepoDetails repo={repo} name={repo?.name ?? ""} onClose={close} />}
    </div>
  )
}
