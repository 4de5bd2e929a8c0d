/** What is different from one report to another, by repository. Pure. */

import { type Json, same } from "./json.ts"
import type { AuditReport, Repo } from "./report.ts"
import { nameWords, stateWords } from "./words.ts"

export interface RepoChange {
  readonly key: string
  readonly name: string
  /** `status`: it has another state; `fields`: another of its fields reads otherwise. */
  readonly kind: "added" | "removed" | "status" | "fields"
  /** The state before and after; `null` where there is none. */
  readonly from: string | null
  readonly to: string | null
  readonly before: Repo | null
  readonly after: Repo | null
}

export interface FieldChange {
  readonly name: string
  readonly before: Json | undefined
  readonly after: Json | undefined
}

/** Give what changed, in the order of the report after, then what is gone. An unchanged repo is the same object. */
export function changesBetween(before: AuditReport, after: AuditReport): RepoChange[] {
  if (before.keys === after.keys) return changesInPlace(before.repos, after.repos)
  const old = new Map(before.repos.map((repo) => [repo.key, repo]))
  const changes: RepoChange[] = []
  for (const repo of after.repos) {
    const was = old.get(repo.key) ?? null
    old.delete(repo.key)
    if (isOther(was, repo)) changes.push(changeOf(was, repo))
  }
  return changes.concat(Array.from(old.values(), (repo) => changeOf(repo, null)))
}

function changesInPlace(before: readonly Repo[], after: readonly Repo[]): RepoChange[] {
  const changes: RepoChange[] = []
  after.forEach((repo, at) => {
    const was = before[at] ?? null
    if (isOther(was, repo)) changes.push(changeOf(was, repo))
  })
  return changes
}

function isOther(was: Repo | null, repo: Repo): boolean {
  return was !== repo && !same(was?.fields, repo.fields)
}

function changeOf(before: Repo | null, after: Repo | null): RepoChange {
  const { key, name } = (after ?? before) as Repo
  const [from, to] = [before?.status ?? null, after?.status ?? null]
  return { key, name, kind: kindOf(from, to), from, to, before, after }
}

/** Give what a repository's changes come to, one after the other; `null` if that is nothing. */
export function together(first: RepoChange | undefined, { before, after }: RepoChange): RepoChange | null {
  const [from, to] = [first ? first.before : before, after]
  return same(from?.fields, to?.fields) ? null : changeOf(from, to)
}

function kindOf(from: string | null, to: string | null): RepoChange["kind"] {
  if (from === null) return "added"
  if (to === null) return "removed"
  return from === to ? "fields" : "status"
}

/** Give which fields of a repository read otherwise; none of one that came or went, for all of them do. */
export function fieldChanges({ before, after }: RepoChange): FieldChange[] {
  if (!before || !after) return []
  const names = new Set([...Object.keys(before.fields), ...Object.keys(after.fields)])
  return Array.from(names, (name) => ({ name, before: before.fields[name], after: after.fields[name] })).filter(
    (each) => !same(each.before, each.after),
  )
}

/** Give a change whose repositories have the fields alone that read otherwise. */
export function trimmed(change: RepoChange): RepoChange {
  const fields = fieldChanges(change)
  const only = (repo: Repo | null, side: "before" | "after") => {
    const told = fields.flatMap(({ name, [side]: value }): [string, Json][] =>
      value === undefined ? [] : [[name, value]],
    )
    return repo && { ...repo, fields: Object.fromEntries(told) }
  }
  return { ...change, before: only(change.before, "before"), after: only(change.after, "after") }
}

const GONE = "no longer listed"

/** "3 repositories changed: 2 dirty, 1 clean"; empty where nothing did. */
export function summaryOf(changes: readonly RepoChange[]): string {
  const stated = changes.filter((change) => change.kind !== "fields")
  if (!changes.length) return ""
  const counts = new Map<string, number>()
  for (const { to } of stated) {
    const word = to === null ? GONE : stateWords(to)
    counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  const others = changes.length - stated.length
  if (others) counts.set(stated.length ? "in details alone" : "in details", others)
  const parts = Array.from(counts, ([word, count]) => `${count.toLocaleString()} ${word}`)
  if (changes.length === 1 && changes[0]) return `${nameWords(changes[0].name)}: ${wordOf(changes[0])}`
  return `${changes.length.toLocaleString()} repositories changed: ${parts.join(", ")}`
}

/** What happened to one repository, in a word or two. */
export function wordOf({ kind, from, to }: RepoChange): string {
  if (kind === "added") return `new, ${stateWords(to ?? "")}`
  if (kind === "removed") return GONE
  return kind === "status" ? `${stateWords(from ?? "")} → ${stateWords(to ?? "")}` : "details changed"
}
