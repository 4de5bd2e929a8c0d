/** Following by WebSocket. Source: docs/protocol.md, Version 1. */

import type { ClientFrame, Position } from "../protocol/index.ts"
import {
  address,
  ask,
  CUT,
  type End,
  type Hearing,
  refusal,
  STRANGER,
  silenceMs,
  UNREACHABLE,
  type Way,
  type Wish,
} from "./link.ts"

const PROTOCOL = "reportcast.v1"
const BLOCKED: End = { reason: "the WebSocket does not get through", isOfTransport: true }

export function openWebSocket(wish: Wish, hear: Hearing, signal: AbortSignal): Way {
  const socket = made(wish)
  const { channel } = wish
  let isOpen = false

  /** A browser does not tell what a handshake was answered with. */
  const ended = async (end: End | null) => hear.ended(end ?? (await why(wish, signal)))
  function send(frame: ClientFrame): boolean {
    if (socket?.readyState !== WebSocket.OPEN) return false
    socket.send(JSON.stringify(frame))
    return true
  }

  signal.addEventListener("abort", () => socket?.close())
  if (socket) {
    socket.onopen = () => {
      isOpen = true
      if (socket.protocol !== PROTOCOL) hear.ended(STRANGER)
    }
    socket.onmessage = ({ data }) => {
      hear.alive()
      if (typeof data === "string") hear.frame(data)
    }
    socket.onclose = ({ code, reason }) => void (signal.aborted || ended(isOpen ? closed(code, reason) : null))
  } else void ended(null)
  return {
    follow: (from: Position | null) => void send({ type: "follow", channel, ...from }),
    refresh: () => void send({ type: "request-update", channel }),
    ping: () => send({ type: "ping" }),
    patienceMs: silenceMs,
  }
}

/** Some pages must not open any: by policy, or because theirs is https and the gateway's is not. */
function made(wish: Wish): WebSocket | null {
  const position = wish.position()
  const url = address(wish, "ws", {
    epoch: position?.epoch,
    offset: position?.offset,
    access_token: wish.token || undefined,
  })
  url.protocol = url.protocol.replace("http", "ws")
  try {
    return new WebSocket(url, PROTOCOL)
  } catch {
    return null
  }
}

/** Codes after which to come back would end the same way. */
const FINAL = /^(100[2789]|[34][5-9])/

function closed(code: number, reason: string): End {
  const isFinal = FINAL.test(`${code}`)
  const retryAfterMs = told(reason)
  if (code === 1006) return CUT
  return {
    reason: WORDS[code] ?? `the gateway closed the connection (${code}${reason && ` ${reason}`})`,
    retryAfterMs,
    isExact: retryAfterMs !== undefined,
    final: isFinal ? (code === 1009 ? "too_large" : "closed") : undefined,
  }
}

const WORDS: Readonly<Record<number, string>> = {
  1012: "the gateway is restarting",
  1013: "the gateway has no place free",
}

function told(reason: string): number | undefined {
  try {
    const { retry_after_ms: after }: { retry_after_ms?: unknown } = JSON.parse(reason)
    return Number.isFinite(after) ? (after as number) : undefined
  } catch {
    return undefined
  }
}

async function why(wish: Wish, signal: AbortSignal): Promise<End> {
  try {
    const response = await ask(wish, signal, "api/ws/status")
    return response.ok ? BLOCKED : await refusal(response)
  } catch {
    return UNREACHABLE
  }
}
