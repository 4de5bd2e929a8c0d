/** What goes wrong on the way, each as it was once found to bring a client to a stop or to the wrong conclusion. */

import { expect, test, vi } from "vitest"
import type { Mode } from "../../src/client/state.ts"
import { frames, json, pending, stream } from "./gateway.ts"
import { connection, engine, gateway, go, keeper, make, notes, states, WELCOME } from "./running.ts"

const LIST = WELCOME.slice(1).map((each) => JSON.parse(each))
const polls = () => gateway.asked.filter((each) => each.startsWith("/audit"))

async function blockWebSocket(): Promise<void> {
  gateway.on("api/ws/status", () => json({}))
  engine.start()
  for (const _ of [1, 2]) {
    gateway.socket.end(1006)
    await go(1000)
  }
}

/** Events are blocked as well, by a page of a proxy; polls get through. */
async function comeToPolls(): Promise<void> {
  gateway.on("events", () => Promise.resolve(new Response("<html>", { status: 403 })))
  gateway.on("audit", (url, signal) => (url.searchParams.has("wait") ? pending(signal) : json(LIST)))
  await blockWebSocket()
  await go(6000)
  expect(connection()).toMatchObject({ kind: "degraded", transport: "poll" })
  states.length = 0
}

/** Every stream that the client asked for begins well. */
async function comeToEvents(): Promise<ReturnType<typeof stream>[]> {
  const streams: ReturnType<typeof stream>[] = []
  gateway.on("events", (_, signal) => {
    const opened = stream(signal)
    opened.say(...WELCOME)
    streams.push(opened)
    return opened.response
  })
  await blockWebSocket()
  await go(1000)
  expect(connection()).toMatchObject({ kind: "degraded", transport: "events" })
  states.length = 0
  return streams
}

/** An answer that comes in pieces, one each second. */
async function trickle(text: string, pieces: number): Promise<Response> {
  const size = Math.ceil(text.length / pieces)
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      for (let at = 0; at < text.length; at += size) {
        await new Promise((resolve) => setTimeout(resolve, 1000))
        controller.enqueue(new TextEncoder().encode(text.slice(at, at + size)))
      }
      controller.close()
    },
  })
  return new Response(body)
}

const cutOff = (onLine: boolean) => vi.stubGlobal("navigator", { onLine })

test("a page that is looked at again while it polls is told at once that the gateway is there", async () => {
  await comeToPolls()
  engine.doubt()
  await go(5000)

  expect(states).toEqual([])
  expect(polls().at(-2)).not.toContain("wait")
})

test("a poll is waited for as long as it was allowed to wait", async () => {
  await comeToPolls()
  engine.refresh()
  await go(15_000)

  expect(states).toEqual([])
})

test("who answers polls at once with nothing, again and again, is not asked more than once a second", async () => {
  await comeToPolls()
  gateway.on("audit", () => json(null, 204))
  const before = polls().length
  engine.refresh()
  await go(5000)

  expect(polls().length - before).toBeLessThan(8)
})

test.each(["<html>hello</html>", ""])("%j in place of a poll's answer is no answer", async (text) => {
  await comeToPolls()
  gateway.on("audit", () => Promise.resolve(new Response(text)))
  engine.refresh()
  await go(0)

  expect(connection()).toMatchObject({ kind: "offline", reason: "what answers is no gateway" })
})

test.each([
  ["when it is asked for again", () => engine.refresh()],
  ["when it is doubted", () => engine.doubt()],
])("an event stream is asked for again %s, without an outage", async (_, ask) => {
  const streams = await comeToEvents()
  ask()
  await go(5000)

  expect(streams).toHaveLength(2)
  expect(states).toEqual([])
})

test("an event stream that is cut says so, and is used again", async () => {
  const streams = await comeToEvents()
  streams[0]?.cut()
  await go(0)
  expect(connection()).toMatchObject({ kind: "offline", reason: "the connection was lost" })
  await go(2000)

  expect(connection()).toMatchObject({ kind: "degraded", transport: "events" })
})

test("a wrong report is asked for whole again, not what follows on it", async () => {
  vi.stubGlobal("crypto", { subtle: { digest: async () => new ArrayBuffer(32) } })
  engine.start()
  gateway.socket.accept(...WELCOME)
  await go(1000)

  expect(gateway.sockets).toHaveLength(2)
  expect(gateway.socket.url).toBe("ws://gateway/ws?channel=audit")
})

test("who is told what happens is told what was found of a report, also of a long one after the clock was set back", async () => {
  vi.stubGlobal("crypto", { subtle: { digest: async () => new Uint8Array(32).buffer } })
  const found: unknown[] = []
  keeper.subscribe(({ follower }, { type }) => type === "verified" && found.push(follower.report?.verified))
  const long = (offset: number) => {
    const frame = { ...JSON.parse(frames.snapshot(offset)), digest: "0".repeat(64), data: "x".repeat(250_000) }
    return JSON.stringify(frame)
  }
  engine.start()
  gateway.socket.accept(frames.hello(), frames.following(1), long(1))
  await go(100)
  vi.setSystemTime(Date.now() - 3_600_000)
  gateway.socket.say(long(2))
  await go(6000)

  expect(found).toEqual([true, true])
})

test("what is found of a report after the end begins nothing", async () => {
  engine.start()
  gateway.socket.accept(...WELCOME)
  engine.stop()
  engine.wrong()
  await go(60_000)

  expect(gateway.sockets).toHaveLength(1)
})

test("a page that must not open a WebSocket comes to events", async () => {
  const refuse = () => {
    throw new DOMException("insecure", "SecurityError")
  }
  vi.stubGlobal("WebSocket", refuse)
  gateway.on("api/ws/status", () => json({}))
  engine.start()
  await go(5000)

  expect(gateway.asked.some((each) => each.startsWith("/events"))).toBe(true)
})

test("a WebSocket that gets through again is found, however often the event stream is cut meanwhile", async () => {
  gateway.on("events", (_, signal) => {
    const opened = stream(signal)
    opened.say(...WELCOME)
    setTimeout(opened.cut, 8000)
    return opened.response
  })
  await blockWebSocket()
  const before = gateway.sockets.length
  await go(40_000)

  expect(gateway.sockets.length).toBeGreaterThan(before)
})

test("below the best, nothing is tried while there is no network, nor before the time that was told", async () => {
  const streams = await comeToEvents()
  const before = gateway.sockets.length
  gateway.on("events", () => json({ error: "full" }, 503, { "Retry-After": "600" }))
  streams.at(-1)?.end()
  await go(590_000)
  expect(gateway.sockets).toHaveLength(before)

  cutOff(false)
  await go(3_600_000)
  expect(gateway.sockets).toHaveLength(before)
  cutOff(true)
})

test("what is asked for from time to time is not asked for because a tab is slow, or looked at", async () => {
  gateway.on("audit", () => json(LIST))
  engine.setMode({ live: false, everyS: 300 })
  engine.start()
  await go(1000)
  const before = polls().length
  for (let minute = 0; minute < 4; minute++) {
    vi.setSystemTime(Date.now() + 59_000)
    await go(1000)
    engine.doubt()
  }

  expect(polls()).toHaveLength(before)
})

test("nothing is left to be done after the end", async () => {
  gateway.on("audit", () => json(LIST))
  engine.setMode({ live: false, everyS: 3600 })
  engine.start()
  await go(1000)
  engine.stop()

  expect(vi.getTimerCount()).toBe(0)
})

test("networks that come and go ask for an event stream once a second", async () => {
  const streams = await comeToEvents()
  for (let change = 0; change < 50; change++) {
    engine.doubt()
    await go(100)
  }

  expect(streams.length).toBeLessThan(8)
  expect(states).toEqual([])
})

test("a stream that is being opened slowly is not asked for anew", async () => {
  await blockWebSocket()
  gateway.on("events", async (_, signal) => {
    await new Promise((resolve) => setTimeout(resolve, 4000))
    const opened = stream(signal)
    opened.say(...WELCOME)
    return opened.response
  })
  await go(1000)
  engine.doubt()
  await go(9000)

  expect(connection()).toMatchObject({ kind: "degraded", transport: "events" })
  expect(notes.join()).not.toContain("too long")
})

test("a week is not waited for, nor is nothing, because somebody looked", async () => {
  engine.start()
  gateway.socket.accept(...WELCOME)
  gateway.socket.end(1012, '{"retry_after_ms":3000000000}')
  await go(1000)
  engine.doubt()
  await go(1000)
  expect(gateway.sockets).toHaveLength(1)
  await go(3_600_000)

  expect(gateway.sockets).toHaveLength(2)
})

test("a dead socket is found after a sleep, although a frame lay ready", async () => {
  engine.start()
  gateway.socket.accept(...WELCOME)
  await go(5000)
  vi.setSystemTime(Date.now() + 7_200_000)
  gateway.socket.say(frames.heartbeat())
  await go(6000)

  expect(gateway.sockets).toHaveLength(2)
})

test("a long report that comes slowly by polls is a sign of life, piece by piece", async () => {
  await comeToPolls()
  const text = JSON.stringify([JSON.parse(frames.snapshot(2))])
  gateway.on("audit", (url) => (url.searchParams.has("wait") ? pending(null) : trickle(text, 60)))
  engine.refresh()
  await go(61_000)

  expect(states).toEqual([])
  expect(keeper.feed.follower.report?.frame.offset).toBe(2)
})

test("a clock that is set back makes no poll late", async () => {
  await comeToPolls()
  gateway.on("audit", async (url, signal) => {
    if (url.searchParams.has("wait")) {
      vi.setSystemTime(Date.now() - 3_600_000)
      gateway.on("audit", () => pending(signal))
    }
    return json(null, 204)
  })
  engine.refresh()
  await go(0)
  const before = polls().length
  await go(2000)

  expect(polls().length).toBe(before + 1)
})

test("a proxy that opens WebSockets and lets nothing through is gone round; one that cuts them is not", async () => {
  engine.start()
  for (const _ of [1, 2, 3]) {
    gateway.socket.accept(...WELCOME)
    gateway.socket.end(1006)
    await go(2500)
  }
  expect(gateway.asked).toEqual([])
  for (const _ of [1, 2]) {
    gateway.socket.accept()
    gateway.socket.end(1006)
    await go(5000)
  }

  expect(gateway.asked[0]).toMatch("/events")
})

test("however often it failed before, the next transport is tried within half a second", async () => {
  engine.start()
  for (let failure = 0; failure < 8; failure++) {
    gateway.socket.end(1006)
    await go(0)
    engine.tryNow()
  }
  gateway.on("api/ws/status", () => json({}))
  gateway.socket.end(1006)
  await go(0)
  expect(connection()).toMatchObject({ retryAt: Date.now() + 15_000 })
  await go(15_000)
  gateway.socket.end(1006)
  await go(0)

  expect(connection()).toMatchObject({ retryAt: Date.now() + 500 })
})

test("without a network it waits until the browser has one", async () => {
  engine.start()
  gateway.socket.accept(...WELCOME)
  cutOff(false)
  engine.doubt()
  await go(4000)
  expect(connection()).toMatchObject({ kind: "offline", reason: "this browser is offline", retryAt: null })
  await go(3_600_000)
  engine.doubt()
  expect(gateway.sockets).toHaveLength(1)

  cutOff(true)
  engine.doubt()
  gateway.socket.accept(frames.hello(), frames.following(1, true))
  expect(connection().kind).toBe("live")
})

test("a network that comes and goes has something tried once a second, not with each change", async () => {
  gateway.on("api/ws/status", () => json({}, 502))
  engine.start()
  gateway.socket.end(1006)
  for (let change = 0; change < 100; change++) {
    await go(100)
    engine.doubt()
    if (gateway.socket.readyState === 0) gateway.socket.end(1006)
  }

  expect(gateway.sockets.length).toBeGreaterThan(5)
  expect(gateway.sockets.length).toBeLessThan(15)
})

test("a clock that is set back keeps nobody away", async () => {
  engine.start()
  gateway.socket.accept(...WELCOME)
  gateway.socket.end(1012, '{"retry_after_ms":20000}')
  vi.setSystemTime(Date.now() - 3_600_000)
  engine.doubt()

  expect(gateway.sockets).toHaveLength(2)
})

test.each([
  ["http://localhost:8080/", 2],
  ["http://127.0.0.1/", 2],
  ["http://[::1]/", 2],
  ["http://localhost.example.org/", 1],
  ["http://127.example.org/", 1],
  ["http://example.org//localhost/", 1],
])("what a browser knows of networks says nothing of this computer: %s", async (url, sockets) => {
  make({ url })
  engine.start()
  gateway.socket.accept(...WELCOME)
  cutOff(false)
  gateway.socket.end(1012, '{"retry_after_ms":10}')
  await go(2000)

  expect(gateway.sockets).toHaveLength(sockets)
})

test("an attempt that was to come does not, once the network is gone; a person may try all the same", async () => {
  gateway.on("api/ws/status", () => json({}, 503))
  engine.start()
  gateway.socket.end(1006)
  await go(0)
  cutOff(false)
  await go(60_000)
  expect(connection()).toMatchObject({ kind: "offline", retryAt: null })

  engine.tryNow()
  expect(gateway.sockets).toHaveLength(2)
})

test("that the network is back is noticed without being told", async () => {
  cutOff(false)
  engine.start()
  gateway.socket.end(1006)
  await go(5000)
  cutOff(true)
  await go(1000)

  expect(gateway.sockets).toHaveLength(2)
})

test("a gateway on this computer needs no network", async () => {
  make({ url: "http://127.0.0.1:8080/" })
  cutOff(false)
  engine.start()
  gateway.socket.end(1006)
  await go(0)
  expect(connection()).toMatchObject({ reason: "this browser is offline", retryAt: Date.now() + 250 })
  await go(1000)

  expect(gateway.sockets).toHaveLength(2)
})

test("a better transport that fails changes nothing, and the next one is tried", async () => {
  await comeToPolls()
  await go(30_000)
  const tried = gateway.sockets.length
  gateway.socket.end(1006)
  await go(100)

  expect(tried).toBe(3)
  expect(gateway.asked.at(-1)).toContain("/events")
  expect(states).toEqual([])
})

test("real-time that is switched off meanwhile ends the search for a better transport", async () => {
  await comeToPolls()
  await go(30_000)
  const better = gateway.socket
  engine.setMode({ live: false, everyS: 60 })
  better.accept(...WELCOME)
  await go(3_600_000)

  expect(better.isClosed).toBe(true)
  expect(gateway.socket).toBe(better)
  expect(connection()).toMatchObject({ kind: "degraded", reason: "real-time is off" })
})

test.each<Mode>([
  { live: false, everyS: 0 },
  { live: false, everyS: -5 },
])("an interval of nothing is a second", async (mode) => {
  gateway.on("audit", () => json(null, 204))
  engine.setMode(mode)
  engine.start()
  await go(10_500)

  expect(polls()).toHaveLength(11)
})

test("a poll that fails while real-time is off says nothing of WebSockets", async () => {
  engine.setMode({ live: false, everyS: 10 })
  gateway.on("audit", () => Promise.resolve(new Response("<html>", { status: 200 })))
  engine.start()
  await go(60_000)
  engine.setMode({ live: true })

  expect(connection()).toMatchObject({ kind: "connecting", transport: "websocket" })
})

test("a frame that makes no sense is told, and nothing else", () => {
  engine.start()
  gateway.socket.accept(...WELCOME, '{"type":"delta"}', '{"type":"later"}', "<")

  expect(connection().kind).toBe("live")
  expect(notes.filter((note) => note.includes("delta: ") || note.includes("a JSON object"))).toHaveLength(2)
})

test("a close that says why is told with its words", () => {
  engine.start()
  gateway.socket.accept(...WELCOME)
  gateway.socket.end(4008, "too slow")

  expect(connection()).toMatchObject({ kind: "offline", reason: "the gateway closed the connection (4008 too slow)" })
})

test.each([
  ["answers 502", () => json("<html>", 502)],
  ["is cut", () => Promise.reject(new TypeError("fetch failed"))],
])("an event stream whose path alone %s leads to polls", async (_, answer) => {
  gateway.on("api/ws/status", () => json({}))
  gateway.on("events", answer)
  gateway.on("audit", (url, signal) => (url.searchParams.has("wait") ? pending(signal) : json([])))
  engine.start()
  for (const _ of [1, 2]) {
    gateway.socket.end(1006)
    await go(1000)
  }
  await go(20_000)

  expect(connection()).toMatchObject({ kind: "degraded", transport: "poll" })
})
