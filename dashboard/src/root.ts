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

/**
 * Take the read token out of this page's address, where it would be seen and copied, into the tab's memory, so that a
 * reload still has it; and give what stood there.
 */
export function given(root = ROOT): Given {
  const memory = `reportcast.token ${root}`
  const url = new URL(location.href)
  const channel = url.searchParams.get("channel") || undefined
  const token = url.searchParams.get("access_token")
  try {
    if (!token) return { channel, token: sessionStorage.getItem(memory) || undefined }
    sessionStorage.setItem(memory, token)
    history.replaceState(history.state, "", withoutToken(url.href))
  } catch {
    // A tab that keeps nothing has it in its address alone.
  }
  return { channel, token: token || undefined }
}

/** Give a page's address as it may be handed on: who gets it has a token of their own. */
export function withoutToken(address: string): string {
  const url = new URL(address)
  url.searchParams.delete("access_token")
  return url.href
}

/** Give a page's address with the token that it takes out of there when it is opened. */
export function withToken(address: string, token: string): string {
  const url = new URL(address)
  url.searchParams.set("access_token", token)
  return url.href
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
