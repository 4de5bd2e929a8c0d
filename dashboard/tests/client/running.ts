/** An engine with its gateway, anew for each test: whoever imports this has both, and a clock that stands still. */

import { afterEach, beforeEach, vi } from "vitest"
import { Engine } from "../../src/client/engine.ts"
import { Keeper } from "../../src/client/keeper.ts"
import type { ConnectionState, Where } from "../../src/client/state.ts"
import { type FakeGateway, fakeGateway, frames } from "./gateway.ts"

export const START = Date.parse("2026-11-28T12:00:00Z")
export const WELCOME = [frames.hello(), frames.following(1), frames.snapshot(1)]

export let gateway: FakeGateway
export let engine: Engine
export let keeper: Keeper
/** The kinds that the connection went through, and what was noted. */
export const states: ConnectionState["kind"][] = []
export const notes: string[] = []

beforeEach(() => {
  vi.useFakeTimers({ now: START })
  gateway = fakeGateway()
  make()
})
afterEach(() => {
  engine.stop()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** Make another engine than the usual one. */
export function make({ url = "http://gateway/", channel, token }: Partial<Where> = {}): void {
  states.length = notes.length = 0
  keeper = new Keeper(channel, () => engine.wrong())
  keeper.subscribe(({ connection: { kind } }, { type }) => {
    if (type === "connection" && states.at(-1) !== kind) states.push(kind)
  })
  engine = new Engine(
    { url, channel, token },
    keeper,
    (note) => notes.push(note),
    () => 0.5,
  )
}

export const connection = () => keeper.feed.connection
export const offset = () => keeper.feed.follower.report?.frame.offset
export const go = (ms: number) => vi.advanceTimersByTimeAsync(ms)
