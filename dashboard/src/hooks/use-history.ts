import { useEffect, useMemo, useState } from "react"
import { type Entry, joined, readHistory, withShown } from "../state/history.ts"
import { useShared } from "./context.ts"
import { type Answer, useAnswer } from "./use-answer.ts"
import { useFeed, useView } from "./use-feed.ts"

const NONE: readonly Entry[] = []

/** The kept reports in brief, oldest first, and the one that is shown; asked again only where some may be missing. */
export function useHistory(): Pick<Answer<unknown>, "error" | "ask"> & {
  entries: readonly Entry[]
  isAnswered: boolean
} {
  const { store } = useShared()
  const epoch = useView((view) => view.epoch)
  const connection = useFeed((feed) => feed.connection.kind)
  const { value, error, ask } = useAnswer("api/history", readHistory, { again: `${epoch} ${connection}` })
  const [shown, setShown] = useState(() => withShown(NONE, store.getView()))
  useEffect(() => {
    let { offset } = store.getView()
    return store.subscribe((view) => {
      if (view.offset === offset) return
      if (offset !== null && view.offset !== offset + 1) ask()
      offset = view.offset
      setShown((before) => withShown(before, view))
    })
  }, [store, ask])
  const entries = useMemo(() => joined(value ?? NONE, shown), [value, shown])
  return { entries, error, ask, isAnswered: value !== null }
}
