/**
 * Where the person is: a path and parameters behind the `#` of the address.
 *
 * So every view has an address, whatever path a proxy serves the page below, and `?channel=` and `?access_token=` stay
 * where they are.
 */

import { useMemo, useSyncExternalStore } from "react"
import { partsOf } from "./state/report.ts"

export interface Route {
  /** The page's name; empty for the first. */
  readonly page: string
  /** What follows it, decoded. */
  readonly rest: string | null
  readonly params: URLSearchParams
}

export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#?\/?/, "").split("?", 2)
  const [page = "", ...rest] = path.split("/")
  return { page, rest: rest.length ? decoded(rest.join("/")) : null, params: new URLSearchParams(search) }
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null // a `%` that encodes nothing
  }
}

export type Params = Readonly<Record<string, string | readonly string[] | null | undefined>>

/** Give the hash of a place; parameters without a value are left out. */
export function hashOf(page: string, params: Params = {}, rest?: string): string {
  const words = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    for (const each of Array.isArray(value) ? value : value ? [value] : []) words.append(name, each)
  }
  const search = words.toString()
  return `#/${page}${rest === undefined ? "" : `/${encodeURIComponent(addressable(rest))}`}${search && `?${search}`}`
}

/** Give the hash of a repository's details, by its key: the names of two may be one. */
export function hashOfRepo(key: string, params: Params = {}): string {
  const [nth, name] = partsOf(key)
  return hashOf("repositories", { ...params, n: nth === 1 ? null : String(nth) }, name)
}

/**
 * Give a name as an address can hold it: half a surrogate pair, which JSON may have and UTF-8 has not, is U+FFFD.
 */
export function addressable(name: string): string {
  return name.replace(/\p{Surrogate}/gu, "\ufffd")
}

/** Safari lets a page write its address 100 times in 30 s. */
const WRITE_MS = 400

/** Where the person is already and the address is not, and the address that it takes the place of. */
let ahead: { readonly hash: string; readonly of: string } | null = null
let timer: ReturnType<typeof setTimeout> | undefined

/** Give the hash of where the person is. */
export function present(): string {
  return ahead?.of === location.hash ? ahead.hash : location.hash
}

/** @param replace Whether the place before is not worth to come back to (a letter more in a search). */
export function navigate(hash: string, { replace = false } = {}): void {
  const before = location.href
  if (replace && timer !== undefined) ahead = { hash, of: location.hash }
  else {
    if (!replace && present() !== location.hash) write(present(), "replaceState")
    write(hash, replace ? "replaceState" : "pushState")
  }
  dispatchEvent(new HashChangeEvent("hashchange", { oldURL: before, newURL: location.href }))
}

function write(hash: string, how: "replaceState" | "pushState"): void {
  ahead = null
  try {
    history[how](null, "", hash)
  } catch {
    ahead = { hash, of: location.hash } // the browser has enough for now
  }
  clearTimeout(timer)
  timer = setTimeout(() => {
    timer = undefined
    const place = present()
    ahead = null // of an address that was left meanwhile
    if (place !== location.hash) write(place, "replaceState")
  }, WRITE_MS)
}

function subscribe(listener: () => void): () => void {
  addEventListener("hashchange", listener)
  addEventListener("popstate", listener)
  return () => {
    removeEventListener("hashchange", listener)
    removeEventListener("popstate", listener)
  }
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, present)
  return useMemo(() => parseRoute(hash), [hash])
}

/** What stays in front of the `#`: it is of all places. */
const OF_ALL = ["channel", "access_token", "kiosk"]

/**
 * Give the address in this page that one without a `#` stands for, or `null` if it is of no place.
 *
 * @param address The document's: `<root>audit/<repo>?action=view` as reports link to it, `<root>?repo=<repo>`,
 *   `<root>?at=<report>`, or `<root><page>?…`.
 */
export function fromDeepLink(address: string, root: string): string | null {
  const { pathname, searchParams, hash } = new URL(address)
  const above = new URL(root).pathname
  if (hash.length > 2 || !pathname.startsWith(above)) return null
  const place = placeOf(pathname.slice(above.length), searchParams)
  if (!place) return null
  const kept = new URLSearchParams([...searchParams].filter(([name]) => OF_ALL.includes(name))).toString()
  return new URL(`${kept && `?${kept}`}${place}`, root).href
}

function placeOf(path: string, params: URLSearchParams): string | null {
  const repo = /^audit\/([^/]+)$/.exec(path)?.[1]
  const name = repo === undefined ? params.get("repo") : decoded(repo)
  if (name) return hashOf("repositories", {}, name)
  const page = /^[a-z]+$/.exec(path)?.[0] ?? (params.has("at") ? "timeline" : null)
  if (page === null) return null
  const own = [...params.keys()].filter((each) => !OF_ALL.includes(each))
  return hashOf(page, Object.fromEntries(own.map((each) => [each, params.getAll(each)])))
}
