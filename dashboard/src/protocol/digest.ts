/** The digest that tells whether two texts are the same report. */

/** Whether a report has the digest that the server told; unknown where the browser has no cryptography. */
export type Verified = boolean | "unknown"

/** Compare `text` with its SHA-256, hexadecimal. Only secure contexts (https, localhost) can. */
export async function verify(text: string, digest: string): Promise<Verified> {
  if (!globalThis.crypto?.subtle) return "unknown"
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("") === digest
}
