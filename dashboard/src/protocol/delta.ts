/**
 * Apply a delta to a report's text, so that what comes of it has the digest that the server told.
 *
 * Source: docs/protocol.md, Deltas.
 */

import { elements, type Member, members, nameOf, put } from "./json.ts"

/** The delta does not fit the report; the whole report is needed. */
export class DeltaError extends Error {
  override name = "DeltaError"
}

/** Those on the Python side (members.py, json_patch.py). */
const MAX_LEVELS = 64
const MAX_OPERATIONS = 10_000

/** A value that is taken apart only where the delta leads; the rest stays as it was written. */
type Node = string | Obj | Node[]
type Obj = Map<string, Member<Node>>

/**
 * Apply `delta` to `body`.
 *
 * @param delta Any text.
 * @param body A report: valid JSON without insignificant white space.
 * @throws DeltaError If it is no delta, or none of this report.
 */
export function apply(delta: string, body: string): string {
  try {
    JSON.parse(delta)
    return written(applied(objectOf(delta), body))
  } catch (error) {
    // No JSON, or a key that stands twice.
    throw error instanceof DeltaError ? error : new DeltaError(`delta does not fit: ${error}`)
  }
}

function applied(delta: Obj, body: string): Node {
  const format = stringOf(delta, "format")
  if (format === "repos") return keep(applyRepos(delta, opened(body)))
  only(delta, "format patch")
  const patch = required(delta, "patch")
  if (format === "merge-patch") return mergePatch(body, patch)
  if (format !== "json-patch") fail(`the format ${format}`)
  const operations = listOf(patch).map(objectOf)
  if (operations.length > MAX_OPERATIONS) fail(`${operations.length} operations`)
  return operations.reduce<Node>(jsonPatch, body)
}

/* Audit reports */

/** The last report, taken apart; one, for a page follows one channel. The next delta is of the same one, and to split 3 MB takes 20 ms. */
let kept: { readonly report: Obj; readonly body: string } | null = null

/** Members are copied, for they are set; what they hold is replaced, never changed. */
function opened(body: string): Obj {
  if (kept?.body !== body) return objectOf(body)
  return new Map(Array.from(kept.report, ([name, member]) => [name, { ...member }]))
}

function keep(changed: Obj): string {
  const report: Obj = new Map()
  for (const [name, { key, value }] of changed) {
    report.set(name, { key, value: name === "repos" ? listOf(value).map(written) : written(value) })
  }
  kept = { report, body: written(report) }
  return kept.body
}

function applyRepos(delta: Obj, report: Obj): Obj {
  only(delta, "format set unset summary removed moved added changed")
  const repos = listOf(required(report, "repos"))
  put(report, "repos", repos)
  patch(report, delta)
  const summary = delta.get("summary")
  if (summary) {
    const change = objectOf(summary.value)
    only(change, "set unset")
    put(report, "summary", patch(objectOf(required(report, "summary")), change))
  }
  if (required(report, "repos") !== repos) fail("repos as a whole")
  put(report, "repos", changed(delta, arranged(delta, repos)))
  return report
}

/** Take out what was removed or moved, place what was moved or added, and fill the rest in order. */
function arranged(delta: Obj, old: readonly Node[]): Node[] {
  const removed = entries(delta, "removed", "at", "name status")
  const moved = entries(delta, "moved", "from to", "name")
  const added = entries(delta, "added", "at repo")
  const from = distinct(old.length)
  const to = distinct(old.length - removed.length + added.length)
  const gone = new Set([...removed.map((each) => from(each, "at")), ...moved.map((each) => from(each, "from"))])
  const placed = [
    ...moved.map((each) => [to(each, "to"), old[countOf(each, "from")] as Node] as const),
    ...added.map((each) => [to(each, "at"), repoOf(each)] as const),
  ]
  const next = old.filter((_, at) => !gone.has(at))
  for (const [at, repo] of placed.sort(([a], [b]) => a - b)) next.splice(at, 0, repo)
  return next
}

function changed(delta: Obj, repos: Node[]): Node[] {
  const index = distinct(repos.length)
  for (const each of entries(delta, "changed", "at", "name from to", "set unset repo")) {
    const at = index(each, "at")
    const isWhole = each.has("repo")
    if (isWhole && (each.has("set") || each.has("unset"))) fail(`two changes of ${at}`)
    repos[at] = isWhole ? repoOf(each) : patch(objectOf(repos[at] as Node), each)
  }
  return repos
}

/** Give a reader of indexes into a list of that size, none of them twice. */
function distinct(size: number): (entry: Obj, name: string) => number {
  const known = new Set<number>()
  return (entry, name) => {
    const at = countOf(entry, name)
    if (at >= size || known.has(at)) fail(`the index ${at} of ${size}`)
    known.add(at)
    return at
  }
}

/** Remove members, then set others. */
function patch(object: Obj, change: Obj): Obj {
  for (const name of listOf(change.get("unset")?.value ?? "[]")) remove(object, stringIn(name))
  for (const [name, { value }] of objectOf(change.get("set")?.value ?? "{}")) put(object, name, value)
  return object
}

/* Generic reports */

/** RFC 7386. */
function mergePatch(target: Node | undefined, patch: Node, levels = MAX_LEVELS): Node {
  const changes = open(patch)
  if (!isObject(changes)) return patch
  if (levels === 0) fail("too deep")
  const opened = target === undefined ? target : open(target)
  const result: Obj = isObject(opened) ? opened : new Map()
  for (const [name, { key, value }] of changes) {
    if (value === "null") result.delete(name)
    else put(result, name, mergePatch(result.get(name)?.value, value, levels - 1), key)
  }
  return result
}

/** One operation of RFC 6902. */
function jsonPatch(report: Node, operation: Obj): Node {
  const op = stringOf(operation, "op")
  if (!/^(add|remove|replace)$/.test(op)) fail(`the operation ${op}`)
  const value = op === "remove" ? undefined : required(operation, "value")
  const path = steps(stringOf(operation, "path"))
  if (path.length > MAX_LEVELS) fail("too deep")
  if (path.length === 0) return value ?? fail("all removed")
  return edit(report, path, op === "add", value)
}

/** Give `node` with what is at the end of the path added, replaced or, without a value, removed. */
function edit(node: Node, [step = "", ...rest]: string[], isAdd: boolean, value: Node | undefined): Node {
  const parent = open(node)
  const isNew = isAdd && rest.length === 0
  const inner = (there: Node) => (rest.length === 0 ? value : edit(there, rest, isAdd, value))
  if (Array.isArray(parent)) {
    const at = element(step, parent.length, isNew)
    const next = inner(parent[at] ?? "")
    parent.splice(at, Number(!isNew), ...(next === undefined ? [] : [next]))
  } else {
    const object = objectOf(parent)
    const next = inner(isNew ? "" : required(object, step))
    if (next === undefined) remove(object, step)
    else put(object, step, next)
  }
  return parent
}

function element(step: string, length: number, isNew: boolean): number {
  if (isNew && step === "-") return length
  return /^(0|[1-9]\d*)$/.test(step) && +step < length + +isNew ? +step : fail(`the index ${step} of ${length}`)
}

/** RFC 6901. */
function steps(path: string): string[] {
  if (!/^(\/([^~/]|~[01])*)*$/.test(path)) fail(`the path ${path}`)
  return path
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"))
}

/* Texts, taken apart and put together */

function open(node: Node): Node {
  if (typeof node !== "string") return node
  const text = node.trim()
  if (text[0] === "{") return members(text)
  return text[0] === "[" ? elements(text) : text
}

function written(node: Node): string {
  if (typeof node === "string") return node
  if (Array.isArray(node)) return `[${node.map(written).join(",")}]`
  let members = ""
  // What `+` puts together is copied once, when somebody reads it: a report is of megabytes.
  for (const { key, value } of node.values()) members += `${members && ","}${key}:${written(value)}`
  return `{${members}}`
}

function isObject(node: Node | undefined): node is Obj {
  return node instanceof Map
}

function objectOf(node: Node): Obj {
  const opened = open(node)
  return isObject(opened) ? opened : fail("no object")
}

function listOf(node: Node): Node[] {
  const opened = open(node)
  return Array.isArray(opened) ? opened : fail("no list")
}

/**
 * Give the entries of a part of the delta; none if it is left out.
 *
 * @param needed The names of what an entry has to have.
 * @param told The names of strings that it has to have, for people.
 * @param optional The names of what it may have.
 */
function entries(delta: Obj, part: string, needed: string, told = "", optional = ""): Obj[] {
  return listOf(delta.get(part)?.value ?? "[]").map((each) => {
    const entry = objectOf(each)
    only(entry, `${needed} ${told} ${optional}`)
    for (const name of told.match(/\w+/g) ?? []) stringOf(entry, name)
    return entry
  })
}

function only(object: Obj, names: string): void {
  const allowed = names.match(/\w+/g)
  for (const name of object.keys()) if (!allowed?.includes(name)) fail(`the member ${name}`)
}

/** Give the whole repository of an entry. */
function repoOf(entry: Obj): Node {
  const repo = required(entry, "repo")
  return written(repo)[0] === "{" ? repo : fail("no object")
}

function remove(object: Obj, name: string): void {
  if (!object.delete(name)) fail(`no ${name}`)
}

function required(object: Obj, name: string): Node {
  return object.get(name)?.value ?? fail(`no ${name}`)
}

function stringOf(object: Obj, name: string): string {
  return stringIn(required(object, name))
}

function stringIn(node: Node): string {
  return typeof node === "string" && node[0] === '"' ? nameOf(node) : fail("no string")
}

function countOf(object: Obj, name: string): number {
  const written = required(object, name)
  return /^\d+$/.test(written as string) ? Number(written) : fail(`the ${name}`)
}

/** The whole report is asked for then, so what did not fit is told in a word. */
function fail(why: string): never {
  throw new DeltaError(`delta does not fit: ${why}`)
}
