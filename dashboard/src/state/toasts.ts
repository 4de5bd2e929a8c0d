/** Short messages that pass. */

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
  /** Give the toast's id. */
  add(toast: Omit<Toast, "id">): number
  /** Give whether it was there. */
  dismiss(id: number): boolean
}

const STAY_MS = 7_000

export function makeToasts(): Toasts {
  let toasts: readonly Toast[] = []
  let nextId = 1
  const listeners = new Set<() => void>()
  const show = (next: readonly Toast[]) => {
    toasts = next
    for (const listener of listeners) listener()
  }
  const dismiss = (id: number) => {
    const isThere = toasts.some((toast) => toast.id === id)
    if (isThere) show(toasts.filter((toast) => toast.id !== id))
    return isThere
  }
  return {
    list: () => toasts,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    add(toast) {
      const id = nextId++
      show([...toasts, { ...toast, id }])
      setTimeout(dismiss, STAY_MS, id)
      return id
    },
    dismiss,
  }
}
