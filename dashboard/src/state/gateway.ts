/** The gateway's HTTP endpoints: addresses with the page's channel and token, and JSON of them. */

import type { Given } from "../root.ts"

const TIMEOUT_MS = 15_000

/** The gateway answered, but not with what was asked for. */
export class AnswerError extends Error {
  override name = "AnswerError"
  readonly status: number
  constructor(path: string, status: number) {
    super(`${path} was answered ${status}`)
    this.status = status
  }
}

export interface Gateway {
  readonly channel: string | undefined
  /** Give the address of an endpoint for links; the token goes with it where there is one. */
  address(path: string, query?: Readonly<Record<string, string>>): string
  /** @throws AnswerError If the status is no 2xx. */
  getJson(path: string, signal?: AbortSignal): Promise<unknown>
  /** Send JSON; nothing is told of the answer. */
  post(path: string, body: unknown): void
}

export function makeGateway(root: string, { channel, token }: Given, ask: typeof fetch = fetch): Gateway {
  const address = (path: string, query: Readonly<Record<string, string>> = {}) => {
    const url = new URL(path, root)
    if (channel) url.searchParams.set("channel", channel)
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
    return url
  }
  const headers: Record<string, string> = token ? { Authorization: `Bearer ${token}` } : {}
  return {
    channel,
    address: (path, query) => address(path, token ? { ...query, access_token: token } : query).href,
    async getJson(path, signal) {
      const signals = [AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])]
      const response = await ask(address(path), { headers, cache: "no-cache", signal: AbortSignal.any(signals) })
      if (!response.ok) throw new AnswerError(path, response.status)
      return response.json()
    },
    post(path, body) {
      const sent = ask(address(path), {
        method: "POST",
        headers: { ...headers, "Content-Type": "application/json" },
        body: JSON.stringify(body),
        keepalive: true,
      })
      sent.catch(() => undefined) // a measurement that does not arrive is not worth a word
    },
  }
}
