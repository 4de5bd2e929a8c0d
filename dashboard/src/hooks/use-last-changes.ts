import { useMemo } from "react"
import type { RepoChange } from "../state/changes.ts"
import type { Step } from "../state/view.ts"
import { useView } from "./use-feed.ts"
import { usePast } from "./use-past.ts"

const NONE: readonly RepoChange[] = []

/** What every report changed, those first that this page saw come; newest first. */
export function useSteps(): readonly Step[] {
  const log = useView((view) => view.log)
  const { steps } = usePast()
  return useMemo(() => [...log, ...steps], [log, steps])
}

/** When a repository changed last, in ms; `null` if none of the steps says. */
export function lastAt(steps: readonly Step[], sought: string): number | null {
  return steps.find(({ changes }) => changes.some(({ key }) => key === sought))?.at ?? null
}

/**
 * Give the last changes that are wanted, at most so many.
 *
 * @param told What is told elsewhere: the repositories in it changed since the person looked.
 */
export function useLastChanges(most: number, isWanted: (change: RepoChange) => boolean, told = NONE) {
  const steps = useSteps()
  const seenAt = useView((view) => view.seenAt)
  return useMemo(() => {
    const keys = new Set(told.map(({ key }) => key))
    const isOpen = ({ at }: Step, change: RepoChange) =>
      isWanted(change) && !(at > (seenAt ?? 0) && keys.has(change.key))
    return lastChanges(steps, most, isOpen)
  }, [steps, most, isWanted, told, seenAt])
}

interface Dated {
  readonly id: string
  readonly at: number
  readonly change: RepoChange
}

function lastChanges(
  steps: readonly Step[],
  most: number,
  isOpen: (step: Step, change: RepoChange) => boolean,
): Dated[] {
  const found: Dated[] = []
  for (const step of steps) {
    if (found.length >= most) break
    for (const change of step.changes) {
      if (isOpen(step, change)) found.push({ id: step.id, at: step.at, change })
    }
  }
  return found.slice(0, most)
}
