/**
 * JSON as text: what an object or array holds, each part exactly as it was written.
 *
 * `JSON.parse` and `JSON.stringify` give back other numbers, escapes and orders of keys; a digest is of the text.
 */

/** One member of an object: the key as written, with its quotes, and the value. */
export interface Member<Value> {
  readonly key: string
  value: Value
}

/**
 * Split an object into keys and values in turn, or an array into its elements.
 *
 * @param text Valid JSON.
 * @returns The parts with the white space around them; none of what is neither an object nor an array.
 */
export function split(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '"') {
      at = endOfString(text, at)
    } else if (char === "{" || char === "[") {
      if (++depth === 1) start = at + 1
    } else {
      const closes = char === "}" || char === "]"
      if (depth === 1 && (closes || char === "," || char === ":")) {
        parts.push(text.slice(start, at))
        start = at + 1
      }
      if (closes) depth--
    }
  }
  return parts.length === 1 && !parts[0]?.trim() ? [] : parts
}

/**
 * Give an object's members by name, in their order.
 *
 * @throws SyntaxError If a key stands twice: nobody knows which is meant.
 */
export function members(object: string): Map<string, Member<string>> {
  const found = new Map<string, Member<string>>()
  const parts = split(object).map((part) => part.trim())
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const [key, value] = [parts[at] as string, parts[at + 1] as string]
    const name = nameOf(key)
    if (found.has(name)) throw new SyntaxError(`the key ${key} stands twice`)
    found.set(name, { key, value })
  }
  return found
}

/** Give the elements of an array. */
export function elements(array: string): string[] {
  return split(array).map((part) => part.trim())
}

/** Set a member: one that exists keeps its place and its key as written, a new one comes last. */
export function put<Value>(object: Map<string, Member<Value>>, name: string, value: Value, key?: string): void {
  const member = object.get(name)
  if (member) member.value = value
  else object.set(name, { key: key ?? JSON.stringify(name), value })
}

/** Give the string that a key, as written, stands for. */
export function nameOf(key: string): string {
  return key.includes("\\") ? JSON.parse(key) : key.slice(1, -1)
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1
  return at
}
