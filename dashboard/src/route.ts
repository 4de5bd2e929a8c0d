/**
 * Where the person is: a path and parameters behind the `#` of the address.
 *
 * So every view has an address, whatever path a proxy serves the page below, and `?channel=` and `?access_token=` stay
 * where they are.
 */

import { useMemo, useSyncExternalStore } from "react"

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
    return decodeURIComponent(text) || null
  } catch {
    return null // a `%` that encodes nothing
  }
}

export type Params = Readonly<Record<string, string | readonly string[] | null | undefined>>

/** Give the hash of a place; parameters without a value are left out. */
export function hashOf(page: string, params: Params = {}, rest?: string): string {
  const words = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    for (const each of [value ?? []].flat()) if (each) words.append(name, each)
  }
  const search = words.toString()
  return `#/${page}${rest === undefined ? "" : `/${encodeURIComponent(rest)}`}${search && `?${search}`}`
}

/** @param replace Whether the place before is not worth to come back to (a letter more in a search). */
export function navigate(hash: string, { replace = false } = {}): void {
  const before = location.href
  history[replace ? "replaceState" : "pushState"](null, "", hash)
  dispatchEvent(new HashChangeEvent("hashchange", { oldURL: before, newURL: location.href }))
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
  const hash = useSyncExternalStore(subscribe, () => location.hash)
  return useMemo(() => parseRoute(hash), [hash])
}

const PAGE = /^(repositories|timeline|latency|clients)$/

/**
 * Give the address in this page that one of the gateway's for it stands for, or `null` for all others.
 *
 * @param address The document's: `<root>audit/<repo>?action=view`, `<root>?repo=<repo>`, `<root>?at=<report>`,
 *   `<root>timeline` and the like.
 */
export function fromDeepLink(address: string, root: string): string | null {
  const url = new URL(address)
  const path = url.pathname.startsWith(new URL(root).pathname) ? url.pathname.slice(new URL(root).pathname.length) : ""
  const repo = /^audit\/([^/]+)\/?$/.exec(path)?.[1]
  const name = repo === undefined ? url.searchParams.get("repo") : decoded(repo)
  const at = url.searchParams.get("at")
  const page = PAGE.exec(path)?.[1]
  if (!name && !at && !page) return null
  for (const word of ["repo", "action", "at"]) url.searchParams.delete(word)
  const place = name ? hashOf("repositories", {}, name) : at ? hashOf("timeline", { at }) : hashOf(page ?? "")
  return new URL(`${url.search}${place}`, root).href
}
