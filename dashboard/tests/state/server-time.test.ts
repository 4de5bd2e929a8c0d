import { expect, test } from "vitest"
import { makeServerTime } from "../../src/state/server-time.ts"

const at = (ms: number) => new Date(ms).toISOString()

test("the answer that came fastest is believed, until clocks may have parted", () => {
  const time = makeServerTime()

  time.tell(at(5_000), 300)
  expect(time.ahead).toBe(4_700)
  time.tell(at(5_110), 120, 20)
  expect(time.ahead).toBe(5_000)
  time.tell(at(6_000), 1_400, 800)
  expect(time.ahead).toBe(5_000)
  time.tell(at(10_006_000), 10_001_100, 800)
  expect(time.ahead).toBe(5_300)
})

test("what is no time says nothing", () => {
  const time = makeServerTime()
  time.tell("soon", 5)
  expect(time.ahead).toBe(0)
})
