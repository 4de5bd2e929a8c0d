import { expect, test } from "vitest"
import { Backoff } from "../../src/client/backoff.ts"
import { Lines } from "../../src/client/events.ts"
import { Ladder } from "../../src/client/ladder.ts"
import { address } from "../../src/client/link.ts"
import { Watchdog } from "../../src/client/watchdog.ts"

test("waits are spread over all of their bound", () => {
  const wait = (chance: number) => new Backoff(() => chance).waitMs(0)

  expect([wait(0), wait(0.5), wait(1)]).toEqual([0, 250, 500])
})

test("an end on purpose begins anew, and what all are told is spread", () => {
  const backoff = new Backoff(() => 1)
  for (let failure = 0; failure < 9; failure++) backoff.waitMs(0)

  expect(backoff.waitMs(0, 400, true)).toBe(400)
  expect(backoff.waitMs(0, 5000)).toBe(5500)
  expect(backoff.waitMs(0, -1, true)).toBe(1000)
})

test("who is sent away again and again does not hammer: once it is exact, then spread, until something is stable", () => {
  const backoff = new Backoff(() => 1)
  const waits = Array.from({ length: 9 }, () => backoff.waitMs(0, 0, true))
  backoff.opened(0)

  expect(waits).toEqual([0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
  expect(backoff.waitMs(30_000, 1e12, true)).toBe(3_600_000)
})

test("two failures lead to the next transport, and round again", () => {
  const ladder = new Ladder(() => 0.5)
  const used = Array.from({ length: 7 }, () => {
    const { transport } = ladder
    return `${transport}${ladder.failed() ? ", then at once" : ""}`
  })

  expect(used).toEqual([
    "websocket",
    "websocket, then at once",
    "events",
    "events, then at once",
    "poll",
    "poll",
    "websocket",
  ])
})

test("begun anew, the best is next, and is tried again as soon as at first", () => {
  const ladder = new Ladder(() => 1)
  for (let failure = 0; failure < 4; failure++) ladder.failed()
  ladder.stayed()

  ladder.restart()

  expect(ladder.transport).toBe("websocket")
  expect(ladder.climbInMs()).toBe(30_000)
})

test("a failure between signs of life is chance", () => {
  const ladder = new Ladder(() => 0.5)
  for (let failure = 0; failure < 5; failure++) {
    ladder.failed()
    ladder.proved()
  }

  expect(ladder.transport).toBe("websocket")
})

test("climbs are tried less and less often, and often again once the best was proved", () => {
  const ladder = new Ladder(() => 1)
  expect(ladder.climbInMs()).toBe(ladder.climbInMs())
  const waits = Array.from({ length: 7 }, () => {
    const wait = ladder.climbInMs() / 1000
    ladder.stayed()
    return wait
  })
  ladder.climb("websocket")
  ladder.proved()

  expect(waits).toEqual([30, 60, 120, 240, 480, 600, 600])
  expect(ladder.climbInMs()).toBe(30_000)
})

test("what is deaf soon after it was climbed to is climbed to less and less often", () => {
  const ladder = new Ladder(() => 1)
  const waits = [1, 2, 3].map(() => {
    ladder.failed()
    ladder.failed()
    const wait = ladder.climbInMs() / 1000
    ladder.climb("websocket")
    return wait
  })

  expect(waits).toEqual([30, 60, 120])
})

test("silence is what lasts longer than was said", () => {
  const watchdog = new Watchdog(0)
  watchdog.expect(0, 2500)
  const found = [1000, 2000, 2500, 3000].map((now) => watchdog.look(now))
  watchdog.expect(3000, 2500)

  expect(found).toEqual(["fine", "fine", "fine", "silent"])
  expect(watchdog.look(4000)).toBe("fine")
})

test("a look that comes late was slept through, and does not hold the silence against anybody", () => {
  const watchdog = new Watchdog(0)
  watchdog.expect(0, 2500)

  expect(watchdog.look(3_600_000)).toBe("slept")
  expect(watchdog.look(3_601_000)).toBe("silent")
})

test("a clock that is set back takes what is due with it", () => {
  const watchdog = new Watchdog(3_600_000)
  watchdog.expect(3_600_000, 2500)

  expect([0, 2000, 2501].map((now) => watchdog.look(now))).toEqual(["fine", "fine", "silent"])
})

test("where something came meanwhile, perhaps only the timers were slow", () => {
  const watchdog = new Watchdog(0)
  watchdog.expect(45_000, 20_000)

  expect(watchdog.look(60_000)).toBe("slow")
})

test("what came after a clock was set back is not taken back with it", () => {
  const watchdog = new Watchdog(3_600_000)
  watchdog.expect(500, 2500)

  expect([1000, 3000, 3001].map((now) => watchdog.look(now))).toEqual(["fine", "fine", "silent"])
})

test("who is in doubt asks once, and then waits for three seconds", () => {
  const watchdog = new Watchdog(0)
  watchdog.expect(0, 60_000)
  watchdog.doubt(1000)

  expect([1001, 3999].map((now) => watchdog.mayAsk(now))).toEqual([false, false])
  expect(watchdog.isSilent(4000)).toBe(false)
  expect(watchdog.isSilent(4001)).toBe(true)
})

test("who is answered at once asks once a second", () => {
  const watchdog = new Watchdog(0)
  watchdog.doubt(1000)
  watchdog.expect(1001, 60_000)

  expect([1500, 2000].map((now) => watchdog.mayAsk(now))).toEqual([false, true])
})

test("five seconds without a word are quiet", () => {
  const watchdog = new Watchdog(0)
  watchdog.expect(0, 60_000)
  expect([5000, 5001].map((now) => watchdog.isQuiet(now))).toEqual([false, true])
})

test.each([
  ["whole", ["data: a\n\n"], ["a"]],
  ["in pieces", ["da", "ta: a", "\n", "\nid: 1:2\nda", "ta:b\n\n"], ["a", "b"]],
  ["of several lines", ["data: a\ndata: b\n\n"], ["a\nb"]],
  ["with other line ends", ["data: a\r\n\r\ndata: b\r\n\r", "\n"], ["a", "b"]],
  ["a carriage return at the end of a piece", ["data: a\r", "\n\r", "\ndata: b\n\n"], ["a", "b"]],
  ["comments and what has no data", [": hello\n\nretry: 3\n\nevent: x\n\n"], []],
] as const)("events: %s", (_, pieces, found) => {
  const lines = new Lines()

  expect(pieces.flatMap((piece) => lines.add(piece))).toEqual(found)
})

test("addresses are below the gateway's, and leave out what is empty", () => {
  const where = { url: "https://h/reports/", channel: "a&b", token: undefined }

  expect(`${address(where, "ws")}`).toBe("https://h/reports/ws?channel=a%26b")
  expect(`${address({ ...where, channel: undefined }, "audit", { since: "", told: undefined })}`).toBe(
    "https://h/reports/audit?since=",
  )
})
