import { useCallback, useEffect, useRef, useState } from "react"
import { type Asker, makeAsker } from "../state/asker.ts"
import { useShared } from "./context.ts"

export interface Answer<Value> {
  /** The last that was answered; kept when a later question is not. `null` before the first. */
  readonly value: Value | null
  /** When it was, in ms; 0 before. */
  readonly at: number
  /** Why the last question was not answered. */
  readonly error: unknown
  readonly ask: () => void
}

interface Reasons {
  /** Something else: ask again. */
  readonly again?: unknown
  readonly everyMs?: number | undefined
  /** Shown in place of the page's own token. */
  readonly token?: string | undefined
}

const PAUSE_MS = 1_000
const UNASKED = { value: null, at: 0, error: null } as const

/**
 * Give what an endpoint answers, asked again when there is a reason to, at most once a second.
 *
 * @param read Makes a value of the parsed JSON; a constant.
 */
export function useAnswer<Value>(path: string, read: (answer: unknown) => Value, reasons: Reasons = {}): Answer<Value> {
  const { gateway } = useShared()
  const { again, everyMs, token } = reasons
  const [answer, setAnswer] = useState<Omit<Answer<Value>, "ask">>(UNASKED)
  const asker = useRef<Asker | null>(null)
  useEffect(() => {
    const question = async (signal: AbortSignal) => {
      try {
        const value = read(await gateway.getJson(path, signal, token))
        if (!signal.aborted) setAnswer({ value, at: Date.now(), error: null })
      } catch (error) {
        if (!signal.aborted) setAnswer((before) => ({ ...before, error }))
      }
      return true // whoever asks again is a person, or has a reason that comes seldom
    }
    const mine = makeAsker(question, PAUSE_MS)
    asker.current = mine
    mine.ask()
    return () => {
      mine.stop()
      setAnswer(UNASKED) // it was another question's
    }
  }, [gateway, path, read, token])
  const ask = useCallback(() => asker.current?.ask(), [])
  // biome-ignore lint/correctness/useExhaustiveDependencies(again): it is the reason
  useEffect(ask, [ask, again])
  useEffect(() => {
    if (everyMs === undefined) return undefined
    const timer = setInterval(() => document.hidden || ask(), everyMs)
    return () => clearInterval(timer)
  }, [ask, everyMs])
  return { ...answer, ask }
}
