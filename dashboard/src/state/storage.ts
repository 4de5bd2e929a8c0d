/** What is remembered in this browser; nothing where it keeps nothing (private windows, full disks). */

export function recall<Value>(name: string, otherwise: Value): Value {
  try {
    const text = localStorage.getItem(`reportcast.${name}`)
    return text === null ? otherwise : JSON.parse(text)
  } catch {
    return otherwise
  }
}

export function remember(name: string, value: unknown): void {
  try {
    localStorage.setItem(`reportcast.${name}`, JSON.stringify(value))
  } catch {
    // It is for comfort alone.
  }
}
