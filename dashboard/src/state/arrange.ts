/** Which repositories are shown, in what order and groups. Pure, and linear in their number but for their names. */

import { isText } from "./json.ts"
import type { AuditReport, Repo } from "./report.ts"
import { lineOf } from "./words.ts"

export const SORTS = {
  attention: "Attention first",
  name: "Name",
  changed: "Last changed",
  report: "As reported",
} as const
export const GROUPS = { none: "No groups", status: "Status", folder: "Folder", host: "Remote host" } as const
export type Sort = keyof typeof SORTS
export type Group = keyof typeof GROUPS

export interface Wish {
  readonly search: string
  /** Empty: all of them. */
  readonly statuses: readonly string[]
  readonly sort: Sort
  readonly group: Group
}

export type Row =
  | { readonly kind: "group"; readonly key: string; readonly name: string; readonly count: number }
  | { readonly kind: "repo"; readonly key: string; readonly repo: Repo }

/** When repositories changed before this page saw them, in ms, by key. */
export type PastAt = ReadonlyMap<string, number>
const NEVER: PastAt = new Map()

/** Give the rows to show, and how many of them are repositories. */
export function arrange(
  report: AuditReport,
  wish: Wish,
  pastAt: PastAt = NEVER,
): { rows: readonly Row[]; found: number } {
  const words = wish.search.trim().toLowerCase().split(/\s+/).filter(Boolean)
  const statuses = new Set(wish.statuses)
  const all = ordered(report, wish.sort, pastAt)
  const stated = statuses.size ? all.filter((repo) => statuses.has(repo.status)) : all
  const found = words.length ? stated.filter((repo) => words.every((word) => haystackOf(repo).includes(word))) : stated
  return { rows: wish.group === "none" ? found.map(rowOf) : grouped(found, wish.group), found: found.length }
}

const rowsOf = new WeakMap<Repo, Row>()

/** Give the same row for the same repository: of thousands one changes, ten times a second. */
function rowOf(repo: Repo): Row {
  let row = rowsOf.get(repo)
  if (!row) {
    row = { kind: "repo", key: repo.key, repo }
    rowsOf.set(repo, row)
  }
  return row
}

function ordered(report: AuditReport, sort: Sort, pastAt: PastAt): readonly Repo[] {
  if (sort === "report") return report.repos
  const named = byName(report)
  if (sort === "name") return named
  if (sort === "changed") {
    const at = (repo: Repo) => repo.changedAt ?? pastAt.get(repo.key) ?? 0
    return [...named].sort((a, b) => at(b) - at(a))
  }
  const ranks: Repo[][] = RANKED.map(() => [])
  for (const repo of named) ranks[rankOf(repo.status)]?.push(repo)
  return ranks.flat()
}

/** What needs somebody comes first; what this page does not know may do so, too. */
const RANKED = ["missing", "mismatched", "(unknown)", "dirty", "extra", "clean"]
const UNKNOWN = RANKED.indexOf("(unknown)")

export function rankOf(status: string): number {
  const rank = RANKED.indexOf(status)
  return rank < 0 ? UNKNOWN : rank
}

/* Comparing names as people do is what takes the time, and names seldom change: their order is kept for as long. */

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" })
const orders = new WeakMap<readonly string[], readonly number[]>()

function byName({ keys, repos }: AuditReport): readonly Repo[] {
  let order = orders.get(keys)
  if (!order) {
    order = repos
      .map((repo, at) => [repo.name, at] as const)
      .sort(([a], [b]) => collator.compare(a, b))
      .map(([, at]) => at)
    orders.set(keys, order)
  }
  return order.map((at) => repos[at] as Repo)
}

const haystacks = new WeakMap<Repo, string>()
const SEARCHED = ["local_path", "path", "remote_url", "clone_url", "remote", "mitigation"]

function haystackOf(repo: Repo): string {
  let text = haystacks.get(repo)
  if (text === undefined) {
    text = [repo.name, repo.status, ...SEARCHED.map((name) => lineOf(repo.fields[name]))].join("\n").toLowerCase()
    haystacks.set(repo, text)
  }
  return text
}

/* Groups */

function grouped(repos: readonly Repo[], group: Exclude<Group, "none">): Row[] {
  const groups = new Map<string, Repo[]>()
  for (const repo of repos) {
    const name = groupOf(repo, group)
    const members = groups.get(name)
    if (members) members.push(repo)
    else groups.set(name, [repo])
  }
  const names = [...groups.keys()]
  if (group === "status") names.sort((a, b) => rankOf(a) - rankOf(b) || collator.compare(a, b))
  else names.sort(collator.compare)
  return names.flatMap((name): Row[] => {
    const members = groups.get(name) ?? []
    return [{ kind: "group", key: `group ${name}`, name, count: members.length }, ...members.map(rowOf)]
  })
}

function groupOf(repo: Repo, group: Exclude<Group, "none">): string {
  if (group === "status") return repo.status
  if (group === "folder") return folderOf(pathOf(repo) ?? "") || "No folder"
  return hostOf(remoteOf(repo) ?? "") || "No remote"
}

export function pathOf({ fields }: Repo): string | null {
  return [fields.local_path, fields.path].find(isText) ?? null
}

export function remoteOf({ fields }: Repo): string | null {
  return [fields.remote_url, fields.clone_url, fields.remote].find(isText) ?? null
}

function folderOf(path: string): string {
  return path.replace(/[\\/]+$/, "").replace(/[\\/][^\\/]*$/, "")
}

/** The host of `https://host/…`, `ssh://git@host/…` and `git@host:…`. */
function hostOf(remote: string): string {
  return /^(?:\w+:\/\/)?(?:[^@/]*@)?([^:/]+)/.exec(remote)?.[1] ?? ""
}

/** Give the states there are, with the number of each, those that need somebody first. */
export function statusCounts(repos: readonly Repo[]): [string, number][] {
  const counts = new Map<string, number>()
  for (const { status } of repos) counts.set(status, (counts.get(status) ?? 0) + 1)
  return [...counts].sort(([a], [b]) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1))
}
