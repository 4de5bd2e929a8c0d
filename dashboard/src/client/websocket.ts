/** Following by WebSocket. Source: docs/protocol.md, Version 1. */

import type { ClientFrame, Position } from "../protocol/index.ts"
import { address, ask, type End, type Handlers, type Link, refusal, UNREACHABLE, type Wish } from "./link.ts"

const PROTOCOL = "reportcast.v1"
const BLOCKED: End = { reason: "the WebSocket does not get through", isOfTransport: true }

export function openWebSocket(wish: Wish, handlers: Handlers): Link {
  const position = wish.position()
  const at = position ? { epoch: position.epoch, offset: `${position.offset}` } : {}
  const url = address(wish, "ws", { ...at, ...(wish.token ? { access_token: wish.token } : {}) })
  url.protocol = url.protocol.replace("http", "ws")
  const socket = new WebSocket(url, PROTOCOL)
  let isOpen = false

  function detach(): void {
    socket.onopen = socket.onmessage = socket.onclose = null
  }
  function send(frame: ClientFrame): boolean {
    if (socket.readyState !== WebSocket.OPEN) return false
    socket.send(JSON.stringify(frame))
    return true
  }
  const channel = wish.channel === undefined ? {} : { channel: wish.channel }

  socket.onopen = () => {
    isOpen = true
    if (socket.protocol === PROTOCOL) return
    detach()
    socket.close()
    handlers.ended({ reason: `what answers does not speak ${PROTOCOL}`, isOfTransport: true })
  }
  socket.onmessage = ({ data }) => {
    handlers.alive()
    if (typeof data === "string") handlers.frame(data)
  }
  let isClosed = false
  socket.onclose = async ({ code, reason }) => {
    detach()
    // A browser does not tell what a handshake was answered with.
    const end = isOpen ? closed(code, reason) : await why(wish)
    if (!isClosed) handlers.ended(end)
  }
  return {
    follow: (from: Position | null) => void send({ type: "follow", ...channel, ...from }),
    refresh: () => void send({ type: "request-update", ...channel }),
    ping: () => send({ type: "ping" }),
    close: () => {
      isClosed = true
      detach()
      socket.close()
    },
  }
}

function closed(code: number, reason: string): End {
  const isFinal = [1002, 1007, 1008, 1009].includes(code) || (code >= 3500 && code < 4000) || code >= 4500
  const retryAfterMs = told(reason)
  return {
    reason: WORDS[code] ?? `the gateway closed the connection (${code})`,
    retryAfterMs,
    isExact: retryAfterMs !== undefined,
    ...(isFinal ? { final: code === 1009 ? ("too_large" as const) : ("closed" as const) } : {}),
  }
}

const WORDS: Readonly<Record<number, string>> = {
  1001: "the gateway is going away",
  1006: "the connection was lost",
  1012: "the gateway is restarting",
  1013: "the gateway has no place free",
}

function told(reason: string): number | undefined {
  try {
    const { retry_after_ms: after }: { retry_after_ms?: unknown } = JSON.parse(reason)
    return typeof after === "number" && Number.isFinite(after) ? after : undefined
  } catch {
    return undefined
  }
}

async function why(wish: Wish): Promise<End> {
  try {
    const response = await ask(wish, address(wish, "api/ws/status"), {})
    return response.ok ? BLOCKED : await refusal(response)
  } catch {
    return UNREACHABLE
  }
}
