/** One WebSocket that comes back each second, until the client core is here. */

import { follow, parseFrame, reduce } from "../protocol/index.ts"
import type { Client, ClientEvent, Feed } from "./index.ts"

export function connect(options: { url: string; channel?: string | undefined; token?: string | undefined }): Client {
  const listeners = new Set<(feed: Feed, event: ClientEvent) => void>()
  let feed: Feed = {
    connection: { kind: "idle" },
    follower: follow(options.channel ?? "audit"),
    status: null,
    hello: null,
    receivedAt: null,
    sharing: "alone",
  }
  const show = (change: Partial<Feed>, event: ClientEvent) => {
    feed = { ...feed, ...change }
    for (const listener of listeners) listener(feed, event)
  }
  const open = () => {
    const url = new URL("ws", options.url)
    url.protocol = url.protocol.replace("http", "ws")
    url.searchParams.set("channel", feed.follower.channel)
    if (options.token) url.searchParams.set("access_token", options.token)
    const socket = new WebSocket(url, "reportcast.v1")
    show(
      { connection: { kind: "connecting", transport: "websocket", attempt: 1, since: Date.now() } },
      { type: "connection" },
    )
    socket.onopen = () =>
      show({ connection: { kind: "live", transport: "websocket", since: Date.now() } }, { type: "connection" })
    socket.onclose = () => {
      const retryAt = Date.now() + 1_000
      const reason = "The gateway does not answer."
      show({ connection: { kind: "offline", since: Date.now(), reason, attempt: 1, retryAt } }, { type: "connection" })
      setTimeout(open, 1_000)
    }
    socket.onmessage = ({ data }) => {
      const frame = parseFrame(data)
      const [follower] = reduce(feed.follower, frame)
      if (frame.type === "hello") show({ follower, hello: frame }, { type: "connection" })
      else if (frame.type === "status") show({ follower, status: frame }, { type: "status" })
      else if (frame.type === "snapshot" || frame.type === "delta")
        show({ follower, receivedAt: Date.now() }, { type: "report", frame })
    }
  }
  return {
    getFeed: () => feed,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    start: open,
    stop: () => undefined,
    tryNow: () => undefined,
    refresh: () => undefined,
    setMode: () => undefined,
    diagnostics: () => [],
  }
}
