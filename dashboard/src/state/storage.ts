/** What is remembered in this browser; nothing where it keeps nothing (private windows, full disks). */

/** Give the browser's key for what is remembered by `name`. */
export function nameOf(name: string): string {
  return `reportcast.${name}`
}

export function recall<Value>(name: string, otherwise: Value): Value {
  try {
    const text = localStorage.getItem(nameOf(name))
    return text === null ? otherwise : JSON.parse(text)
  } catch {
    return otherwise
  }
}

export function remember(name: string, value: unknown): void {
  try {
    localStorage.setItem(nameOf(name), JSON.stringify(value))
  } catch {
    // It is for comfort alone.
  }
}
