import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { type Client, connect, type Options } from "../../src/client/index.ts"
import { type FakeBrowser, fakeBrowser } from "./browser.ts"
import { EPOCH, type FakeGateway, fakeGateway, frames, json } from "./gateway.ts"

let gateway: FakeGateway
let browser: FakeBrowser
let clients: Client[]

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-11-28T12:00:00Z") })
  gateway = fakeGateway()
  browser = fakeBrowser()
  clients = []
})
afterEach(() => {
  for (const client of clients) client.stop()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const go = (ms: number) => vi.advanceTimersByTimeAsync(ms)
const WELCOME = [frames.hello(), frames.following(1), frames.snapshot(1)]
const offset = (client: Client) => client.getFeed().follower.report?.frame.offset
const kind = (client: Client) => client.getFeed().connection.kind

/** Open another tab, and give it the time to find the others. */
async function open(options: Partial<Options> = {}): Promise<Client> {
  const client = connect({ url: "http://gateway", chance: () => 0.5, ...options })
  clients.push(client)
  client.start()
  await go(0)
  return client
}

test("it is idle until it is started, and again when it is stopped", async () => {
  const client = connect({ url: "http://gateway/reports" })
  clients.push(client)
  expect(client.getFeed()).toMatchObject({ connection: { kind: "idle" }, sharing: "alone", receivedAt: null })
  client.start()
  client.start()
  await go(0)
  expect(gateway.sockets.map(({ url }) => url)).toEqual(["ws://gateway/reports/ws"])
  gateway.socket.accept(...WELCOME)
  expect(kind(client)).toBe("live")

  client.stop()
  expect(gateway.socket.isClosed).toBe(true)
  expect(kind(client)).toBe("idle")
  expect(offset(client)).toBe(1)
})

test("who subscribes is told what happened, until that is ended", async () => {
  const client = await open({ share: false })
  const told: string[] = []
  const end = client.subscribe((feed, event) => told.push(`${event.type} ${feed.connection.kind}`))
  gateway.socket.accept(frames.hello())
  end()
  gateway.socket.say(frames.following(1))

  expect(told).toEqual(["connection live", "frame live"])
})

test("a listener that fails disturbs neither the others nor the connection", async () => {
  const failures: unknown[] = []
  vi.stubGlobal("queueMicrotask", (report: () => void) => {
    try {
      report()
    } catch (error) {
      failures.push(error)
    }
  })
  const client = await open({ share: false })
  client.subscribe(() => {
    throw new Error("mine")
  })
  gateway.socket.accept(...WELCOME)

  expect(kind(client)).toBe("live")
  expect(failures[0]).toEqual(new Error("mine"))
})

test("what happened is there to be copied, the last fifty things of it", async () => {
  let chance = 0
  const client = await open({ share: false, chance: () => (++chance % 50) / 100 })
  for (let attempt = 0; attempt < 80; attempt++) {
    gateway.socket.end(1006)
    await go(0)
    client.tryNow()
  }

  expect(client.diagnostics()).toHaveLength(50)
  expect(client.diagnostics()[0]).toMatch(
    /^2026-11-28T12:00:00.000Z lost: the gateway cannot be reached; again in \d+ ms$/,
  )
})

test("what repeats itself is told once", async () => {
  const client = await open({ share: false })
  gateway.socket.accept(...WELCOME)
  for (const _ of [1, 2, 3]) {
    vi.setSystemTime(Date.now() + 20_000)
    await go(1000)
    gateway.socket.say(frames.heartbeat())
  }

  expect(client.diagnostics()).toEqual([
    "2026-11-28T12:00:00.000Z connected by websocket",
    "2026-11-28T12:01:03.000Z woke up",
  ])
})

test("a page that is put aside closes its connection, and goes on where it stood when it is shown again", async () => {
  const client = await open({ share: false })
  gateway.socket.accept(...WELCOME)
  browser.fire("pagehide")
  expect(kind(client)).toBe("idle")
  expect(gateway.socket.isClosed).toBe(true)
  browser.fire("pageshow", { persisted: true })

  expect(gateway.socket.url).toBe(`ws://gateway/ws?channel=audit&epoch=${EPOCH}&offset=1`)
})

test("a page that was stopped stays so, and one that is shown the first time begins nothing twice", async () => {
  const client = await open({ share: false })
  browser.fire("pageshow", { persisted: false })
  client.stop()
  browser.fire("pagehide")
  browser.fire("pageshow", { persisted: true })
  browser.fire("online")

  expect(gateway.sockets).toHaveLength(1)
})

test.each([
  ["is shown", () => browser.show("visible"), 1],
  ["is hidden", () => browser.show("hidden"), 0],
  ["has a network again", () => browser.fire("online"), 1],
  ["has none", () => browser.fire("offline"), 1],
])("a sign of life is asked for when the page %s", async (_, happen, pings) => {
  await open({ share: false })
  gateway.socket.accept(...WELCOME)
  happen()

  expect(gateway.socket.sent).toEqual(Array(pings).fill({ type: "ping" }))
})

test("whoever is at a page has the connection looked after, in whichever tab it is", async () => {
  await open()
  gateway.socket.accept(...WELCOME)
  await go(6000)
  browser.fire("keydown")
  expect(gateway.socket.sent).toEqual([{ type: "ping" }])
  gateway.socket.say(frames.heartbeat())

  await open()
  await go(6000)
  browser.fire("pointerdown")
  expect(gateway.socket.sent).toHaveLength(2)
})

test("where there are no pages, it works all the same", async () => {
  vi.stubGlobal("document", undefined)
  const client = await open()
  gateway.socket.accept(...WELCOME)

  expect(client.getFeed()).toMatchObject({ connection: { kind: "live" }, sharing: "alone" })
})

test("two tabs have one connection, and know the same", async () => {
  const first = await open()
  gateway.socket.accept(...WELCOME)
  const second = await open()
  expect(first.getFeed().sharing).toBe("leader")
  expect(second.getFeed()).toEqual({ ...first.getFeed(), sharing: "follower" })

  gateway.socket.say(frames.delta(2), frames.status("t1"))
  await go(0)
  expect(offset(second)).toBe(2)
  expect(second.getFeed().status?.tag).toBe("t1")
  expect(gateway.sockets).toHaveLength(1)
})

test("a tab that waits for the others is connecting, not idle", () => {
  const client = connect({ url: "http://gateway" })
  clients.push(client)
  client.start()

  expect(kind(client)).toBe("connecting")
})

test("the next tab takes over when the one that has the connection is closed, and goes on where it stood", async () => {
  const first = await open()
  gateway.socket.accept(...WELCOME)
  const second = await open()
  first.stop()
  await go(0)
  expect(second.getFeed().sharing).toBe("leader")
  expect(gateway.socket.url).toBe(`ws://gateway/ws?channel=audit&epoch=${EPOCH}&offset=1`)

  gateway.socket.accept(frames.hello(), frames.following(1, true), frames.delta(2))
  expect(offset(second)).toBe(2)
})

test("how the connection stands is told to all tabs, and what one wants is done by the one that has it", async () => {
  await open()
  gateway.socket.accept(...WELCOME)
  const second = await open()
  second.refresh()
  await go(0)
  expect(gateway.socket.sent).toEqual([{ type: "request-update" }])
  gateway.on("api/ws/status", () => json({ error: "no token" }, 401))
  gateway.socket.end(1006)
  await go(250)
  gateway.socket.end(1006)
  await go(0)
  expect(second.getFeed().connection).toEqual({ kind: "stopped", code: "unauthorized", reason: "no token" })

  second.tryNow()
  await go(0)
  expect(gateway.sockets).toHaveLength(3)
})

test("real-time is off for all tabs, whichever is told, and whichever has the connection later", async () => {
  const first = await open()
  gateway.socket.accept(...WELCOME)
  const second = await open()
  gateway.on("audit", () => json(null, 204))
  second.setMode({ live: false, everyS: 60 })
  await go(0)
  expect(first.getFeed().connection).toMatchObject({ kind: "degraded", reason: "real-time is off" })
  expect(second.getFeed().connection).toMatchObject({ kind: "degraded", reason: "real-time is off" })

  first.stop()
  await go(0)
  expect(second.getFeed()).toMatchObject({ sharing: "leader", connection: { reason: "real-time is off" } })
})

test("a frozen tab loses the connection to one that is looked at, and follows it once it wakes", async () => {
  const first = await open()
  gateway.socket.accept(...WELCOME)
  const second = await open()
  const [frozen] = browser.channels()
  if (frozen) frozen.isFrozen = true
  await go(21_000)
  expect(second.getFeed().sharing).toBe("leader")
  gateway.socket.accept(frames.hello(), frames.following(1, true), frames.delta(2))

  if (frozen) frozen.isFrozen = false
  second.stop()
  await go(0)
  expect(first.getFeed().sharing).toBe("leader")
})

test("a frozen tab loses the connection although the clock was set back", async () => {
  await open()
  gateway.socket.accept(...WELCOME)
  const second = await open()
  const [frozen] = browser.channels()
  if (frozen) frozen.isFrozen = true
  vi.setSystemTime(Date.now() - 3_600_000)
  await go(6000)

  expect(second.getFeed().sharing).toBe("leader")
})

test("a tab that woke up hears what it missed", async () => {
  const first = await open()
  gateway.socket.accept(...WELCOME)
  await open()
  const [frozen] = browser.channels()
  if (frozen) frozen.isFrozen = true
  await go(14_000)
  gateway.socket.say(frames.heartbeat())
  if (frozen) frozen.isFrozen = false
  await go(7000)
  gateway.socket.accept(frames.hello(), frames.following(1, true), frames.delta(2))
  await go(0)

  expect(clients.map(offset)).toEqual([2, 2])
  expect(clients.map((client) => client.getFeed().sharing).sort()).toEqual(["follower", "leader"])
  expect(kind(first)).toBe("live")
})

test("a tab that nobody looks at takes nothing away", async () => {
  await open()
  const second = await open()
  const [frozen] = browser.channels()
  if (frozen) frozen.isFrozen = true
  browser.show("hidden")
  await go(60_000)

  expect(second.getFeed().sharing).toBe("follower")
})

test("a tab that missed a frame is told all of it again", async () => {
  await open()
  gateway.socket.accept(...WELCOME)
  const second = await open()
  const [, deaf] = browser.channels()
  if (deaf) deaf.isFrozen = true
  gateway.socket.say(frames.delta(2))
  await go(0)
  if (deaf) deaf.isFrozen = false
  gateway.socket.say(frames.delta(3))
  await go(0)

  expect(offset(second)).toBe(3)
})

test.each<[string, Partial<Options>]>([
  ["another token", { token: "other" }],
  ["another channel", { channel: "dns" }],
  ["another gateway", { url: "http://other" }],
  ["no wish to share", { share: false }],
])("%s is another connection", async (_, options) => {
  await open()
  await open(options)

  expect(gateway.sockets).toHaveLength(2)
})

test("where a browser has no locks, each tab has its own connection", async () => {
  browser = fakeBrowser({ locks: null })
  const first = await open()
  await open()

  expect(gateway.sockets).toHaveLength(2)
  expect(first.getFeed().sharing).toBe("alone")
})

test("a page that may have no locks has a connection all the same", async () => {
  const refuse = () => Promise.reject(new DOMException("sandboxed", "SecurityError"))
  browser = fakeBrowser({ locks: { request: refuse } })
  await open()
  gateway.socket.accept(...WELCOME)

  expect(clients.map(kind)).toEqual(["live"])
})
