// Values, ages and durations as people read them. Pure.

export const isText = (value) => typeof value === "string" && value !== "";

/** One line for any JSON value; of an object its values: "3fa9c1d · Fix the build · 1/31/2026, 12:00:00 PM". */
export function lineOf(value) {
  if (value !== null && typeof value === "object") return Object.values(value).map(lineOf).join(" · ");
  const isTime = isText(value) && /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)$/.test(value);
  return isTime ? new Date(value).toLocaleString() : String(value ?? "");
}

/** How long ago something was: "47 s ago". */
export function ageOf(seconds) {
  if (seconds < -5) return "dated in the future";
  if (seconds < 2) return "just now";
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min ago`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h ago` : `${Math.floor(seconds / 86_400)} days ago`;
}

const UNITS = [[86_400, Infinity, "d"], [3_600, 24, "h"], [60, 60, "min"], [1, 60, "s"]];

/** A duration in its two largest units, as the gateway writes it: "0.5 s", "47 s", "5 min", "1 h 20 min". */
export function durationOf(seconds) {
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  const counts = UNITS.map(([size, limit, unit]) => [Math.floor(Math.round(seconds) / size) % limit, unit]);
  const first = counts.findIndex(([count]) => count > 0);
  return counts.slice(first, first + 2).filter(([count]) => count > 0).map((pair) => pair.join(" ")).join(" ");
}
