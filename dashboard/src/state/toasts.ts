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
  add(toast: Omit<Toast, "id">): void
  dismiss(id: number): void
  /** It stays as long as somebody is at it. */
  hold(id: number): void
  release(id: number): void
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
  const timers = new Map<number, ReturnType<typeof setTimeout>>()
  const hold = (id: number) => clearTimeout(timers.get(id))
  const dismiss = (id: number) => {
    hold(id)
    timers.delete(id)
    show(toasts.filter((toast) => toast.id !== id))
  }
  const release = (id: number) => {
    hold(id)
    timers.set(id, setTimeout(dismiss, STAY_MS, id))
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
      release(id)
    },
    dismiss,
    hold,
    release,
  }
}
