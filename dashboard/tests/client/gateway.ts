/** A gateway in this process: fake sockets and answers that a test scripts. */

import { vi } from "vitest"

export const EPOCH = "1b65fea20ca22296"
/** SHA-256 of `{"n":1}` and so on is not needed: where there is no cryptography, nothing is proved. */
export const at = (offset: number) => ({ channel: "audit", epoch: EPOCH, offset })
const times = { published_at: "2026-11-28T12:00:00.000Z", modified_at: "2026-11-28T12:00:00.000Z" }
const about = (offset: number) => ({
  ...at(offset),
  name: `${offset}.json`,
  digest: `d${offset}`,
  ...times,
  findings: [],
})

export const frames = {
  hello: (channels = ["audit"]) =>
    JSON.stringify({
      type: "hello",
      protocol: "reportcast.v1",
      server: "reportcast-test",
      channels,
      heartbeat_s: 30,
      limits: {},
      timestamp: times.published_at,
    }),
  following: (offset: number, recovered = false) => JSON.stringify({ type: "following", ...at(offset), recovered }),
  snapshot: (offset: number) => JSON.stringify({ type: "snapshot", ...about(offset), data: { repos: [], n: offset } }),
  delta: (offset: number) =>
    JSON.stringify({
      type: "delta",
      ...about(offset),
      base: `d${offset - 1}`,
      changes: { format: "json-patch", patch: [{ op: "replace", path: "/n", value: offset }] },
    }),
  status: (tag: string, reasons: string[] = []) =>
    JSON.stringify({
      type: "status",
      channel: "audit",
      stale: false,
      broker: { connected: true },
      reasons,
      tag,
      timestamp: times.published_at,
    }),
  heartbeat: () => JSON.stringify({ type: "heartbeat" }),
  drain: (ms: number) => JSON.stringify({ type: "drain", retry_after_ms: ms }),
  error: (code: string) => JSON.stringify({ type: "error", code, message: `no: ${code}` }),
}

/** One WebSocket that the client opened. */
export class FakeSocket {
  static readonly OPEN = 1
  static opened: FakeSocket[] = []
  readonly url: string
  readonly sent: unknown[] = []
  protocol = "reportcast.v1"
  readyState = 0
  isClosed = false
  onopen: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number; reason: string }) => void) | null = null

  constructor(url: string | URL) {
    this.url = `${url}`
    FakeSocket.opened.push(this)
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text))
  }

  close(): void {
    this.isClosed = true
  }

  accept(...texts: string[]): void {
    this.readyState = 1
    this.onopen?.()
    this.say(...texts)
  }

  say(...texts: string[]): void {
    for (const data of texts) this.onmessage?.({ data })
  }

  end(code: number, reason = ""): void {
    this.readyState = 3
    this.onclose?.({ code, reason })
  }
}

type Answer = (url: URL, signal: AbortSignal | null) => Promise<Response>

/** What HTTP answers, by the last word of the path; what is not scripted cannot be reached. */
export class FakeGateway {
  readonly asked: string[] = []
  readonly answers = new Map<string, Answer>()
  readonly headers: Headers[] = []

  on(path: string, answer: Answer): void {
    this.answers.set(path, answer)
  }

  get sockets(): FakeSocket[] {
    return FakeSocket.opened
  }

  /** The last socket that was opened. */
  get socket(): FakeSocket {
    const socket = FakeSocket.opened.at(-1)
    if (!socket) throw new Error("no WebSocket was opened")
    return socket
  }
}

export function fakeGateway(): FakeGateway {
  FakeSocket.opened = []
  const gateway = new FakeGateway()
  vi.stubGlobal("WebSocket", FakeSocket)
  vi.stubGlobal("crypto", {})
  vi.stubGlobal("fetch", async (url: URL, init: RequestInit) => {
    // Who asks without end would keep the test's clock from going on.
    if (gateway.asked.length > 1000) return await pending(null)
    gateway.asked.push(`${url.pathname}${url.search}`)
    gateway.headers.push(new Headers(init.headers))
    const answer = gateway.answers.get(url.pathname.split("/").slice(1).join("/"))
    if (!answer) throw new TypeError("fetch failed")
    return await answer(url, init.signal ?? null)
  })
  return gateway
}

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Promise<Response> =>
  Promise.resolve(new Response(status === 204 ? null : JSON.stringify(body), { status, headers }))

/** An answer that comes when the test says so, or never. */
export function pending(signal: AbortSignal | null): Promise<Response> {
  return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)))
}

/** An event stream, and what is said on it. */
export function stream(signal: AbortSignal | null): {
  response: Promise<Response>
  say: (...texts: string[]) => void
  end: () => void
  cut: () => void
} {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined
  const body = new ReadableStream<Uint8Array>({
    start(each) {
      controller = each
    },
  })
  signal?.addEventListener("abort", () => controller?.error(signal.reason))
  const write = (text: string) => controller?.enqueue(new TextEncoder().encode(text))
  return {
    response: Promise.resolve(new Response(body, { headers: { "Content-Type": "text/event-stream; charset=utf-8" } })),
    say: (...texts) => {
      for (const text of texts) write(`data: ${text}\n\n`)
    },
    end: () => controller?.close(),
    cut: () => controller?.error(new TypeError("network error")),
  }
}
