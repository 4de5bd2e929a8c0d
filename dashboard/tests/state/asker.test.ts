import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { makeAsker } from "../../src/state/asker.ts"

beforeEach(() => void vi.useFakeTimers({ now: 0 }))
afterEach(() => void vi.useRealTimers())

/** When something was asked, in s, by who has a reason ten times a second for so long. */
async function asked(answers: (nth: number) => boolean, seconds: number): Promise<number[]> {
  const times: number[] = []
  const asker = makeAsker(async () => answers(times.push(Date.now() / 1000)), 1_000)
  for (let tenth = 0; tenth < seconds * 10 - 1; tenth++) {
    asker.ask()
    await vi.advanceTimersByTimeAsync(100)
  }
  asker.stop()
  return times
}

test("who answers is asked once a second, however many reasons there are", async () => {
  expect(await asked(() => true, 4)).toEqual([0, 1, 2, 3])
})

test("who does not is asked less and less often, up to once a minute, until an answer comes", async () => {
  expect(await asked(() => false, 200)).toEqual([0, 2, 6, 14, 30, 62, 122, 182])
  expect(await asked((nth) => nth > 2, 10)).toEqual([199.9, 201.9, 205.9, 206.9, 207.9, 208.9])
})
