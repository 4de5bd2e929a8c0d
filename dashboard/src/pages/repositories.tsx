import { useCallback, useMemo } from "react"
import { RepoDetails } from "../components/repo-details.tsx"
import { RepoList } from "../components/repo-list.tsx"
import { RepoToolbar } from "../components/repo-toolbar.tsx"
import { BESIDE } from "../components/sheet.tsx"
import { useView } from "../hooks/use-feed.ts"
import { usePast } from "../hooks/use-past.ts"
import { addressable, hashOf, hashOfRepo, navigate, type Route, useRoute } from "../route.ts"
import {
  arrange,
  GROUPS,
  type Group,
  type PastAt,
  SORTS,
  type Sort,
  statusCounts,
  type Wish,
} from "../state/arrange.ts"
import { type AuditReport, keyFor, type Repo } from "../state/report.ts"
import type { Step } from "../state/view.ts"

/** Every repository of the report: found, ordered, grouped, and opened. */
export default function Repositories() {
  const report = useView((view) => view.report)
  return report ? <List report={report} /> : null
}

function List({ report }: { report: AuditReport }) {
  const route = useRoute()
  const wish = useMemo(() => wishOf(route.params), [route])
  const { steps } = usePast()
  const pastAt = useMemo(() => lastChanges(steps), [steps])
  const { rows, found } = useMemo(() => arrange(report, wish, pastAt), [report, wish, pastAt])
  const counts = useMemo(() => statusCounts(report.repos), [report])
  const wanted = openOf(route)
  const repo = useMemo(() => repoOf(report, wanted?.key), [report, wanted?.key])
  const open = wanted?.name === "" && !repo ? null : wanted // else it is a slash too many
  const hrefOf = useCallback((key: string) => placeOf(wish, key), [wish])
  const close = useCallback(() => navigate(placeOf(wish)), [wish])
  return (
    <>
      <h1 className="sr-only">Repositories</h1>
      <div className="flex gap-4 print:block">
        <div className={`min-w-0 flex-1 space-y-3 ${open ? `${BESIDE} print:hidden` : ""}`}>
          <RepoToolbar
            wish={wish}
            counts={counts}
            found={found}
            total={report.repos.length}
            onWish={(change) => navigate(placeOf({ ...wish, ...change }, open?.key), { replace: true })}
          />
          {rows.length > 0 ? (
            <RepoList
              rows={rows}
              open={repo?.key ?? open?.key ?? null}
              pastAt={pastAt}
              hrefOf={hrefOf}
              onOpen={(key) => navigate(hrefOf(key))}
            />
          ) : (
            <p className="card p-10 text-center text-quiet">
              {report.repos.length ? "No repository matches." : "The report lists no repositories."}
            </p>
          )}
        </div>
        {open && <RepoDetails repo={repo} name={repo?.name ?? open.name} onClose={close} />}
      </div>
    </>
  )
}

/** The steps are newest first. */
function lastChanges(steps: readonly Step[]): PastAt {
  return new Map(steps.toReversed().flatMap(({ at, changes }) => changes.map(({ key }) => [key, at])))
}

function wishOf(params: URLSearchParams): Wish {
  const [sort, group] = [params.get("sort") ?? "", params.get("group") ?? ""]
  return {
    search: params.get("q") ?? "",
    statuses: params.getAll("status"),
    sort: Object.hasOwn(SORTS, sort) ? (sort as Sort) : "attention",
    group: Object.hasOwn(GROUPS, group) ? (group as Group) : "none",
  }
}

/** The address of the list as it is wished for, with the details of a repository. */
function placeOf(wish: Partial<Wish>, key?: string): string {
  const params = {
    q: wish.search,
    status: wish.statuses,
    sort: wish.sort === "attention" ? null : wish.sort,
    group: wish.group === "none" ? null : wish.group,
  }
  return key === undefined ? hashOf("repositories", params) : hashOfRepo(key, params)
}

function openOf({ rest, params }: Route): { key: string; name: string } | null {
  return rest === null ? null : { key: keyFor(rest, Number(params.get("n") ?? 1)), name: rest }
}

/** Its key is of an address, which cannot hold all names as they are. */
function repoOf({ repos }: AuditReport, sought: string | undefined): Repo | null {
  if (sought === undefined) return null
  return repos.find(({ key }) => key === sought) ?? repos.find(({ key }) => addressable(key) === sought) ?? null
}
