/** Short messages that pass; at most a few at a time. */

export type Tone = "good" | "warn" | "bad" | "note"

export interface Toast {
  readonly id: number
  readonly tone: Tone
  readonly text: string
  /** Where it leads, in this page. */
  readonly href?: string | undefined
}

export interface Toasts {
  list(): readonly Toast[]
  subscribe(listener: () => void): () => void
  add(toast: Omit<Toast, "id">): void
  dismiss(id: number): void
}

/** More than these cover what they tell of. */
const MAX = 3
const STAY_MS = 7_000

export function makeToasts(): Toasts {
  let toasts: readonly Toast[] = []
  let nextId = 1
  const listeners = new Set<() => void>()
  const show = (next: readonly Toast[]) => {
    toasts = next
    for (const listener of listeners) listener()
  }
  const dismiss = (id: number) => show(toasts.filter((toast) => toast.id !== id))
  return {
    list: () => toasts,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    add(toast) {
      const id = nextId++
      show([...toasts, { ...toast, id }].slice(-MAX))
      setTimeout(() => dismiss(id), STAY_MS)
    },
    dismiss,
  }
}
