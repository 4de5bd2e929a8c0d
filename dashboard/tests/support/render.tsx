/** A part of the page with all that it shares, and a client that is told what to have. */

import { cleanup, render } from "@testing-library/react"
import type { ReactNode } from "react"
import { afterEach } from "vitest"
import { type Shared, SharedContext } from "../../src/hooks/context.ts"
import { navigate } from "../../src/route.ts"
import { makeGateway } from "../../src/state/gateway.ts"
import type { Latency } from "../../src/state/painted.ts"
import { makePreferences } from "../../src/state/preferences.ts"
import { makeStore } from "../../src/state/store.ts"
import { makeToasts } from "../../src/state/toasts.ts"
import { FakeClient } from "./fake-client.ts"

afterEach(() => {
  cleanup()
  localStorage.clear()
  navigate("#")
  PAINTS.clear()
})

/** What this page painted, as a test has it; none at first. */
export const PAINTS = new Map<string, Latency>()
const nothing = async () => new Response("{}")

/** @param ask Answers in place of a gateway. */
export function renderShared(
  part: ReactNode,
  prepare: (client: FakeClient) => void = () => undefined,
  ask: (address: URL, init: RequestInit) => Promise<Response> = nothing,
) {
  const client = new FakeClient()
  prepare(client)
  const shared: Shared = {
    client,
    store: makeStore(client),
    gateway: makeGateway("http://gateway.test/", { channel: () => undefined, token: undefined }, ask as typeof fetch),
    toasts: makeToasts(),
    preferences: makePreferences(),
    past: { more: () => undefined, stop: () => undefined },
    latencies: { get: () => null, recent: () => PAINTS, subscribe: () => () => undefined },
  }
  return { ...shared, client, ...render(<SharedContext value={shared}>{part}</SharedContext>) }
}
