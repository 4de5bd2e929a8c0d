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

/** Say why there is no change to be shown: none is known, or that is not known. */
export function absenceIn({ reports, reason }: Recalled, nothing: string): string {
  if (reason !== null) return `What changed before is not known: ${reason}.`
  if (reports === null) return "Reading the last reports…"
  return reports < 2 ? "There is no report before this one." : `${nothing} in the last ${reports} reports.`
}
