/** Times as reports write them. */

const WITHOUT_ZONE = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(:\d\d(\.\d+)?)?)$/i

/** Read a report's time, in ms, one without a zone as UTC, as the watcher does; NaN where it is none. */
export function readTime(text: string): number {
  const [, day, time] = WITHOUT_ZONE.exec(text) ?? []
  return Date.parse(time ? `${day}T${time}Z` : text)
}
