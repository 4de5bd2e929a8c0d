/** Parsed JSON: its types, and equality of what it says. */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [name: string]: Json
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** A string that says something. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== ""
}

/** Whether two values read the same; the order of an object's members does not count. */
export function same(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((each, at) => same(each, b[at]))
  if (!isObject(a) || !isObject(b)) return false
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]))
  )
}

/** Give `object` with members removed, and then set. Spread, not assignment: a name may be `__proto__`. */
export function patched(object: JsonObject, change: { unset?: readonly string[]; set?: JsonObject }): JsonObject {
  const gone = new Set(change.unset)
  const kept = gone.size ? Object.fromEntries(Object.entries(object).filter(([name]) => !gone.has(name))) : object
  return { ...kept, ...change.set }
}
