import { expect, test, vi } from "vitest"
import { EPOCH, frames, json, pending, stream } from "./gateway.ts"
import { connection, engine, gateway, go, keeper, make, notes, offset, START, states, WELCOME } from "./running.ts"

test("it is live with the first word, and follows the first channel that is served", () => {
  engine.start()
  expect(connection()).toEqual({ kind: "connecting", transport: "websocket", attempt: 1, since: START })

  gateway.socket.accept(...WELCOME, frames.delta(2))

  expect(gateway.socket.url).toBe("ws://gateway/ws")
  expect(connection()).toEqual({ kind: "live", transport: "websocket", since: START })
  expect(keeper.feed).toMatchObject({ follower: { channel: "audit" }, receivedAt: START })
  expect(keeper.feed.follower.report?.body).toBe('{"repos":[],"n":2}')
})

test("it comes back after a random time that doubles, and goes on where it stood", async () => {
  engine.start()
  gateway.socket.accept(...WELCOME)
  const waits: number[] = []
  for (let attempt = 0; attempt < 9; attempt++) {
    gateway.socket.end(1006)
    await go(0)
    const state = connection()
    if (state.kind !== "offline" || state.retryAt === null) throw new Error(state.kind)
    waits.push(state.retryAt - Date.now())
    await go(state.retryAt - Date.now())
    gateway.on("api/ws/status", () => json({}, 503))
  }

  expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000])
  expect(gateway.socket.url).toBe(`ws://gateway/ws?channel=audit&epoch=${EPOCH}&offset=1`)
  expect(offset()).toBe(1)
})

test("a channel is asked for by its name once it is known, whatever the next gateway serves first", async () => {
  engine.start()
  gateway.socket.accept(...WELCOME)
  gateway.socket.end(1012, '{"retry_after_ms":100}')
  await go(100)

  expect(gateway.socket.url).toBe(`ws://gateway/ws?channel=audit&epoch=${EPOCH}&offset=1`)
})

test("a time that the gateway told is kept to, whoever looks; a person may set it aside", async () => {
  engine.start()
  gateway.socket.accept(...WELCOME)
  gateway.socket.end(1012, '{"retry_after_ms":600000}')
  await go(1000)
  engine.doubt()
  expect(gateway.sockets).toHaveLength(1)

  engine.tryNow()
  expect(gateway.sockets).toHaveLength(2)
})

test("half a minute of stability begins anew, a second less does not", async () => {
  engine.start()
  for (const [stableMs, waitMs] of [
    [29_000, 250],
    [29_000, 500],
    [30_000, 250],
  ] as const) {
    gateway.socket.accept(...WELCOME)
    await go(stableMs)
    gateway.socket.end(1006)
    expect(connection()).toMatchObject({ kind: "offline", retryAt: Date.now() + waitMs })
    await go(waitMs)
  }
})

test("what the gateway says of coming back wins: by its last frame, or with the close", async () => {
  engine.start()
  gateway.socket.accept(...WELCOME, frames.drain(1700))
  gateway.socket.end(1012)
  expect(connection()).toMatchObject({ kind: "offline", reason: "the gateway is restarting", retryAt: START + 1700 })

  await go(1700)
  gateway.socket.accept(...WELCOME)
  gateway.socket.end(1012, '{"retry_after_ms":900}')
  // Told twice in a row, it is spread.
  expect(connection()).toMatchObject({ retryAt: Date.now() + 900 + 250 })
})

test("silence is noticed, and a dead socket is not waited for", async () => {
  engine.start()
  gateway.socket.accept(...WELCOME)
  const dead = gateway.socket
  await go(30_000)
  dead.say(frames.heartbeat())
  await go(34_000)
  expect(dead.sent).toEqual([])
  await go(4000)
  expect(dead.sent).toEqual([{ type: "ping" }])
  expect(connection().kind).toBe("live")
  await go(3000)

  expect(connection().kind).not.toBe("live")
  expect(dead.isClosed).toBe(true)
  dead.say(frames.delta(2))
  expect(offset()).toBe(1)
  expect(notes.at(-1)).toContain("nothing came for too long")
})

test("a gateway that is only late with its heartbeat is asked, and stays", async () => {
  engine.start()
  gateway.socket.accept(...WELCOME)
  for (const _ of [1, 2, 3]) {
    await go(36_000)
    gateway.socket.say('{"type":"pong","timestamp":"2026-11-28T12:00:00Z"}')
  }

  expect(states).toEqual(["connecting", "live"])
  expect(gateway.socket.sent).toHaveLength(3)
})

test("who is at the page has the gateway asked, if it was quiet, and is not waiting for it", async () => {
  engine.start()
  engine.attend()
  gateway.socket.accept(...WELCOME)
  engine.attend()
  await go(6000)
  for (const _ of [1, 2, 3]) engine.attend()
  expect(gateway.socket.sent).toEqual([{ type: "ping" }])
  await go(4000)
  expect(connection().kind).toBe("offline")
})

test("who is at the page does not wait for the next attempt, which is made at once, and once a second", async () => {
  gateway.on("api/ws/status", () => json({}, 502))
  engine.start()
  for (let failure = 0; failure < 9; failure++) {
    gateway.socket.end(1006)
    await go(0)
    engine.tryNow()
  }
  gateway.socket.end(1006)
  await go(1000)
  for (const _ of [1, 2, 3]) engine.attend()
  expect(gateway.sockets).toHaveLength(11)

  gateway.socket.end(1006)
  await go(10)
  for (const _ of [1, 2, 3]) engine.attend()
  expect(gateway.sockets).toHaveLength(11)
  await go(1000)
  expect(gateway.sockets).toHaveLength(12)
})

test("who is at the page keeps nobody from the transport that gets through", async () => {
  gateway.on("api/ws/status", () => json({}))
  gateway.on("events", (_, signal) => {
    const opened = stream(signal)
    opened.say(...WELCOME)
    return opened.response
  })
  engine.start()
  for (let tenth = 0; tenth < 60; tenth++) {
    if (gateway.socket.readyState === 0) gateway.socket.end(1006)
    await go(100)
    engine.attend()
  }

  expect(connection()).toMatchObject({ kind: "degraded", transport: "events" })
})

test("an outage is as old as the connection's loss, whatever was tried meanwhile", async () => {
  gateway.on("api/ws/status", () => json({}, 502))
  engine.start()
  gateway.socket.accept(...WELCOME)
  for (const _ of [1, 2, 3]) {
    gateway.socket.end(1006)
    await go(0)
    expect(connection()).toMatchObject({ kind: "offline", since: START })
    await go(5000)
    expect(connection()).toMatchObject({ kind: "connecting", since: START })
  }
  gateway.socket.accept(frames.hello())
  expect(connection()).toMatchObject({ kind: "live", since: START + 15_000 })
})

test.each([
  [2, 8000],
  [0.1, 6000],
  [1e9, 309_000],
])("with a heartbeat every %d s, silence is noticed after %d ms", async (heartbeatS, silenceMs) => {
  engine.start()
  gateway.socket.accept(frames.hello(heartbeatS))
  await go(silenceMs)
  expect(connection().kind).toBe("live")
  await go(1000)

  expect(connection().kind).not.toBe("live")
})

test("a computer that slept comes back at once", async () => {
  engine.start()
  gateway.socket.accept(...WELCOME)
  vi.setSystemTime(Date.now() + 3_600_000)
  await go(1001)

  expect(gateway.sockets).toHaveLength(2)
  expect(notes).toContain("woke up")
  gateway.socket.accept(frames.hello(), frames.following(1, true))
  expect(connection().kind).toBe("live")
})

test("a shorter sleep is doubted: no sign of life in three seconds is the end", async () => {
  engine.start()
  gateway.socket.accept(...WELCOME)
  vi.setSystemTime(Date.now() + 20_000)
  await go(1000)
  expect(gateway.socket.sent).toEqual([{ type: "ping" }])
  gateway.socket.say('{"type":"pong","timestamp":"2026-11-28T12:00:00Z"}')
  await go(5000)
  expect(connection().kind).toBe("live")

  engine.doubt()
  await go(5000)
  expect(gateway.sockets).toHaveLength(2)
})

test("a blocked WebSocket: events, then polls, and back once it gets through", async () => {
  gateway.on("api/ws/status", () => json({}))
  // Events do not get through either: the proxy answers with a page of its own.
  gateway.on("events", () => Promise.resolve(new Response("<html>", { status: 403 })))
  engine.start()
  for (const _ of [1, 2]) {
    gateway.socket.end(1006)
    await go(600)
  }
  await go(3000)
  expect(gateway.asked.filter((each) => each.startsWith("/events"))).toHaveLength(2)
  gateway.on("audit", (url, signal) =>
    url.searchParams.has("wait") ? pending(signal) : json(WELCOME.slice(1).map((each) => JSON.parse(each))),
  )
  await go(5000)
  expect(connection()).toMatchObject({ kind: "degraded", transport: "poll", reason: "WebSocket does not get through" })
  expect(offset()).toBe(1)

  await go(28_000)
  states.length = 0
  gateway.socket.accept(frames.hello(), frames.following(1, true), frames.delta(2))
  expect(states).toEqual(["live"])
  expect(offset()).toBe(2)
  expect(gateway.sockets).toHaveLength(3)
})

test("an event stream is followed, and ends with the gateway", async () => {
  gateway.on("api/ws/status", () => json({}))
  let events: ReturnType<typeof stream> | undefined
  gateway.on("events", (_, signal) => {
    events = stream(signal)
    return events.response
  })
  engine.start()
  for (const _ of [1, 2]) {
    gateway.socket.end(1006)
    await go(1000)
  }
  await go(1000)
  events?.say(...WELCOME, frames.delta(2))
  await go(100)
  expect(connection()).toMatchObject({ kind: "degraded", transport: "events" })
  expect(offset()).toBe(2)

  events?.say(frames.drain(400))
  events?.end()
  await go(100)
  expect(connection()).toMatchObject({ kind: "offline" })
  await go(400)
  expect(gateway.asked.at(-1)).toBe(`/events?channel=audit&since=${EPOCH}%3A2`)
})

test.each([
  [401, "unauthorized"],
  [403, "forbidden"],
  [404, "not_served"],
  [400, "refused"],
] as const)("the gateway's own %i is the end, and said so", async (status, code) => {
  gateway.on("api/ws/status", () => json({ error: "not like this" }, status))
  engine.start()
  gateway.socket.end(1006)
  await go(120_000)

  expect(connection()).toEqual({ kind: "stopped", code, reason: "not like this" })
  engine.doubt()
  expect(gateway.sockets).toHaveLength(1)
  engine.tryNow()
  expect(gateway.sockets).toHaveLength(2)
})

test.each([
  [1008, "closed"],
  [1009, "too_large"],
  [3500, "closed"],
  [4500, "closed"],
] as const)("a close with %i is the end", (closeCode, code) => {
  engine.start()
  gateway.socket.accept(...WELCOME)
  gateway.socket.end(closeCode)

  expect(connection()).toMatchObject({ kind: "stopped", code })
})

test("a channel that is not served is the end", () => {
  make({ channel: "dns" })
  engine.start()
  gateway.socket.accept(frames.hello(), frames.error("unknown_channel"))

  expect(gateway.socket.url).toBe("ws://gateway/ws?channel=dns")
  expect(connection()).toMatchObject({ kind: "stopped", code: "not_served", reason: "no: unknown_channel" })
})

test("real-time off: a conditional poll at each interval, and on again", async () => {
  engine.start()
  gateway.socket.accept(...WELCOME, frames.status("t1"))
  gateway.on("audit", () => json(null, 204))
  engine.setMode({ live: false, everyS: 60 })
  await go(0)
  expect(gateway.socket.isClosed).toBe(true)
  expect(connection()).toMatchObject({ kind: "degraded", transport: "poll", reason: "real-time is off" })
  await go(181_000)

  expect(gateway.asked).toHaveLength(4)
  expect(gateway.asked[3]).toBe(`/audit?channel=audit&since=${EPOCH}%3A1&told=t1`)
  engine.refresh()
  await go(0)
  expect(gateway.asked).toHaveLength(5)
  engine.setMode({ live: true })
  expect(gateway.sockets).toHaveLength(2)
})

test("a gap is asked for from where it stands, and what cannot be applied for the whole", () => {
  engine.start()
  gateway.socket.accept(...WELCOME, frames.delta(3))
  expect(gateway.socket.sent).toEqual([{ type: "follow", epoch: EPOCH, offset: 1 }])

  gateway.socket.say(frames.following(3), frames.snapshot(3), frames.delta(4).replace('"base":"d3"', '"base":"other"'))
  expect(gateway.socket.sent.at(-1)).toEqual({ type: "follow" })
})

test("a report that is not what its digest says is asked for on another connection", async () => {
  vi.stubGlobal("crypto", { subtle: { digest: async () => new ArrayBuffer(32) } })
  engine.start()
  gateway.socket.accept(...WELCOME)
  await go(100)

  expect(connection()).toMatchObject({ kind: "offline", reason: "a report came that is not what its digest says" })
})

test("what an abandoned connection says later is not heard", () => {
  engine.start()
  gateway.socket.accept(...WELCOME)
  const first = gateway.socket
  first.end(1006)
  first.say(frames.delta(2))

  expect(offset()).toBe(1)
})

test("a token is in the header, and for a WebSocket in the address", async () => {
  make({ token: "sesame" })
  engine.start()
  expect(gateway.socket.url).toBe("ws://gateway/ws?access_token=sesame")
  gateway.socket.end(1006)
  await go(0)

  expect(gateway.headers[0]?.get("Authorization")).toBe("Bearer sesame")
})
