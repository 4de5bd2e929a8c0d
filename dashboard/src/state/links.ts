/** What of an untrusted report may become a link. Pure. */

/** Give the address if it is a whole http(s) one; everything else stays text. */
export function safeUrl(text: unknown): string | null {
  if (typeof text !== "string" || !/^https?:\/\//i.test(text)) return null
  if (!URL.canParse(text)) return null
  const { protocol, href } = new URL(text)
  return protocol === "https:" || protocol === "http:" ? href : null
}
