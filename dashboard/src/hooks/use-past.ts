import { useMemo } from "react"
import type { Recalled } from "../state/view.ts"
import { useView } from "./use-feed.ts"

/** What the reports from before this page was opened changed, dated by this machine's clock, as what came since is. */
export function usePast(): Recalled {
  const past = useView((view) => view.past)
  const ahead = useView((view) => view.serverAhead)
  return useMemo(
    () => ({ ...past, steps: past.steps.map((step) => ({ ...step, at: step.at - ahead })) }),
    [past, ahead],
  )
}
