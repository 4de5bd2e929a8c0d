/**
 * Where the gateway is: the address that the page's own requests start from, with `/` at its end.
 *
 * The page may be served below any path of a proxy, and `index.html` also at deep links, so the address of the document
 * does not tell; the entry script's does: it is `assets/<name>.js` of the build, `src/root.ts` where Vite serves it.
 */
const here = import.meta.url
export const ROOT = new URL("../", here).href

/** What of the page's own address goes with every request: which report, and the read token where one is asked for. */
export interface Given {
  readonly channel: string | undefined
  readonly token: string | undefined
}

export function given(search: string): Given {
  const words = new URLSearchParams(search)
  return { channel: words.get("channel") || undefined, token: words.get("access_token") || undefined }
}

/**
 * Tell whether the gateway serves another version of this page than the one that runs; not so where that is not known.
 *
 * @param entry The address of the entry script, which is named after its contents.
 */
export async function isReplaced(entry = here, ask: typeof fetch = fetch): Promise<boolean> {
  const name = /\/assets\/([^/?]+)$/.exec(entry)?.[1]
  if (!name) return false
  try {
    const page = await (await ask(new URL("../", entry), { cache: "no-cache" })).text()
    return page.includes("/assets/") && !page.includes(name)
  } catch {
    return false // it is away
  }
}
