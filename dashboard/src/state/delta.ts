/**
 * Apply a `repos` delta to a report that is parsed already: of 10 000 repositories only those that changed are touched.
 *
 * The text has had it applied and proved before (protocol/delta.ts), so what does not fit is told by `null` alone.
 *
 * Source: docs/protocol.md, Deltas.
 */

import { isObject, type JsonObject, patched, same } from "./json.ts"
import { type AuditReport, keyFor, keys, makeRepo, makeReport, type Repo } from "./report.ts"

interface Patch {
  readonly set?: JsonObject
  readonly unset?: readonly string[]
}

interface ReposDelta extends Patch {
  readonly summary?: Patch
  readonly removed?: readonly { at: number }[]
  readonly moved?: readonly { from: number; to: number }[]
  readonly added?: readonly { at: number; repo: JsonObject }[]
  readonly changed?: readonly (Patch & { at: number; repo?: JsonObject })[]
}

/** Give the report that the delta makes, or `null` if it is of another format or does not fit. */
export function applyRepos(report: AuditReport, changes: string, now: number): AuditReport | null {
  const delta = JSON.parse(changes)
  if (delta.format !== "repos") return null
  const repos = reposAfter(report.repos, delta, now)
  const rest = restAfter(report.rest, delta)
  if (!repos || !rest) return null
  const isMoved = Boolean(delta.removed ?? delta.moved ?? delta.added)
  return makeReport(rest, isMoved ? renumbered(repos) : repos, report, isMoved)
}

function restAfter(rest: JsonObject, delta: ReposDelta): JsonObject | null {
  const after = delta.set || delta.unset ? patched(rest, delta) : rest
  if (!delta.summary) return after
  return isObject(after.summary) ? { ...after, summary: patched(after.summary, delta.summary) } : null
}

function reposAfter(before: readonly Repo[], delta: ReposDelta, now: number): Repo[] | null {
  const repos = arranged(before, delta, now)
  for (const { at, repo, ...change } of delta.changed ?? []) {
    const old = repos[at]
    if (!old) return null
    const fields = repo ?? patched(old.fields, change)
    if (!same(old.fields, fields)) repos[at] = makeRepo(old.key, fields, now) // else it is in another order
  }
  return repos
}

function arranged(before: readonly Repo[], { removed = [], moved = [], added = [] }: ReposDelta, now: number): Repo[] {
  if (!removed.length && !moved.length && !added.length) return [...before]
  const gone = new Set([...removed.map(({ at }) => at), ...moved.map(({ from }) => from)])
  const placed = [
    ...moved.map(({ from, to }) => [to, before[from] as Repo] as const),
    ...added.map(({ at, repo }) => [at, makeRepo(keyFor(String(repo.name)), repo, now)] as const),
  ].sort(([a], [b]) => a - b)
  const rest = before.filter((_, at) => !gone.has(at))
  return interleaved(placed, rest)
}

/** Put what has a place there, and the rest between, in order. One pass: splicing 10 000 times into a list is slow. */
function interleaved(placed: readonly (readonly [number, Repo])[], rest: readonly Repo[]): Repo[] {
  const repos: Repo[] = []
  let taken = 0
  for (const [at, repo] of placed) {
    while (repos.length < at && taken < rest.length) repos.push(rest[taken++] as Repo)
    repos.push(repo)
  }
  return repos.concat(rest.slice(taken))
}

function renumbered(repos: readonly Repo[]): Repo[] {
  const keyOf = keys()
  return repos.map((repo) => {
    const key = keyOf(repo.name)
    return repo.key === key ? repo : { ...repo, key }
  })
}
