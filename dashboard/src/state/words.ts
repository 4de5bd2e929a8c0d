/** Values, ages and durations as people read them. Pure. */

import { isText, type Json } from "./json.ts"

const time = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" })
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" })

/** A moment, in ms, as date and time; of today the time alone. */
export function momentOf(at: number, now = Date.now()): string {
  if (Number.isNaN(at)) return "at an unknown time"
  return new Date(at).toDateString() === new Date(now).toDateString() ? clock.format(at) : time.format(at)
}

export function dateOf(at: number): string {
  return time.format(at)
}

/** One line for any JSON value, as `plain`; of an object its values. */
export function lineOf(value: Json | undefined): string {
  if (typeof value === "object" && value !== null) return Object.values(value).map(lineOf).join(" · ")
  if (isText(value) && /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)$/.test(value)) {
    const at = Date.parse(value)
    return Number.isNaN(at) ? value : time.format(at)
  }
  return plain(String(value ?? ""))
}

/** A field's name as words: `local_path` is "local path". */
export function labelOf(field: string): string {
  return (
    plain(field)
      .replaceAll("_", " ")
      .replace(/\burl\b/i, "URL")
      .trim() || "(no name)"
  )
}

/** How long ago something was, given in ms: "47 s ago". */
export function agoOf(ms: number): string {
  if (Number.isNaN(ms)) return ""
  if (ms < -5_000) return "dated in the future"
  return ms < 2_000 ? "just now" : `${ageOf(ms)} ago`
}

/** A time span in its largest unit, given in ms: "47 s", "12 min". */
export function ageOf(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} days`
}

const UNITS = [
  [86_400, Number.POSITIVE_INFINITY, "d"],
  [3_600, 24, "h"],
  [60, 60, "min"],
  [1, 60, "s"],
] as const

/** A duration, in s, in its two largest units, as the gateway writes it: "0.5 s", "47 s", "1 h 20 min". */
export function durationOf(seconds: number): string {
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`
  const counts = UNITS.map(([size, limit, unit]) => [Math.floor(Math.round(seconds) / size) % limit, unit] as const)
  const first = counts.findIndex(([count]) => count > 0)
  const two = counts.slice(first, first + 2).filter(([count]) => count > 0)
  return two.map((pair) => pair.join(" ")).join(" ")
}

/** A reason as a sentence: reasons are told to be put into one. */
export function sentenceOf(reason: string): string {
  const text = plain(reason).trim()
  if (!text) return ""
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?…]$/.test(text) ? "" : "."}`
}

/**
 * Beside the controls and the formats: separators of lines, letters that are blank, and what joins nothing. Joiners belong
 * to emoji, and to scripts whose letters join.
 */
const HIDDEN =
  /(?![\n\t\u200c\u200d])(?:[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u115f\u1160\u2800\u3164\uffa0]|\u034f)|(?<!\p{Extended_Pictographic}|\p{Emoji_Modifier}|(?![\p{scx=Latn}\p{scx=Grek}\p{scx=Cyrl}])[\p{L}\p{M}])[\u200c\u200d]/gu

/** What is shown of text from elsewhere: characters that hide, or turn the text around them, are seen as such. */
export function plain(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(HIDDEN, "\ufffd")
}

/** The same of what is one line, and never nothing. */
export function lineOr(none: string, text: string | null): string {
  return (
    plain(text ?? "")
      .replace(/[\n\t]/g, "\ufffd")
      .trim() || none
  )
}

export function nameWords(name: string): string {
  return lineOr("(no name)", name)
}

export function stateWords(state: string): string {
  return lineOr("(no state)", state)
}

/** A latency in ms: "8 ms", "1.2 s". */
export function latencyWords(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : durationOf(ms / 1000)
}
