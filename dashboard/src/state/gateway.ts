/** The gateway's HTTP endpoints: addresses with the page's channel and token, and JSON of them. */

import { isObject, isText } from "./json.ts"

const TIMEOUT_MS = 15_000

/** The gateway answered, but not with what was asked for. */
export class AnswerError extends Error {
  override name = "AnswerError"
  readonly status: number
  /** @param sentence What the gateway says of it. */
  constructor(path: string, status: number, sentence?: string) {
    super(sentence ?? `${path} was answered ${status}`)
    this.status = status
  }
}

/** Say in a sentence why something was not answered as it was asked for. */
export function sentenceOf(error: unknown): string {
  if (error instanceof AnswerError) return error.message
  const isLate = error instanceof DOMException && error.name === "TimeoutError"
  if (isLate) return `the gateway did not answer within ${TIMEOUT_MS / 1000} s`
  return error instanceof SyntaxError ? "the gateway's answer cannot be read" : "the gateway cannot be reached"
}

/** Give the path of a report of the history. */
export function pathOfReport(name: string): string {
  // An address has no such name, however it is encoded; nor has any report.
  const encoded = encodeURIComponent(name).replace(/^\.{1,2}$/, (dots) => dots.replaceAll(".", "%252E"))
  return `audit/history/${encoded}`
}

export interface Gateway {
  readonly root: string
  /** Give the address of an endpoint for links; the token goes with it where there is one. */
  address(path: string, query?: Readonly<Record<string, string>>): string
  /**
   * @param token Goes with it in place of the page's own.
   * @throws AnswerError If the status is no 2xx.
   */
  getJson(path: string, signal?: AbortSignal, token?: string): Promise<unknown>
  /** Send JSON; nothing is told of the answer. */
  post(path: string, body: unknown): void
}

interface Words {
  /** Which report is meant; the first that is served while that is not known. */
  readonly channel: () => string | undefined
  readonly token: string | undefined
}

export function makeGateway(root: string, { channel, token }: Words, ask: typeof fetch = fetch): Gateway {
  const address = (path: string, query: Readonly<Record<string, string>> = {}) => {
    const url = new URL(path, root)
    const meant = channel()
    if (meant) url.searchParams.set("channel", meant)
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
    return url
  }
  const authorized = (shown: string | undefined): Record<string, string> =>
    shown ? { Authorization: `Bearer ${shown}` } : {}
  return {
    root,
    address: (path, query) => address(path, token ? { ...query, access_token: token } : query).href,
    async getJson(path, given, shown = token) {
      const signal = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(given ? [given] : [])])
      const response = await ask(address(path), { headers: authorized(shown), cache: "no-cache", signal })
      if (!response.ok) throw new AnswerError(path, response.status, await refusalOf(response))
      return response.json()
    },
    post(path, body) {
      const sent = ask(address(path), {
        method: "POST",
        headers: { ...authorized(token), "Content-Type": "application/json" },
        body: JSON.stringify(body),
        keepalive: true,
      })
      sent.catch(() => undefined) // a measurement that does not arrive is not worth a word
    },
  }
}

/** Of an answer that is not one of the gateway's, such as a proxy's, there is no sentence. */
async function refusalOf(response: Response): Promise<string | undefined> {
  const answer: unknown = await response.json().catch(() => null)
  return isObject(answer) && isText(answer.error) ? answer.error : undefined
}
