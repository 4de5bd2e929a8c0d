import { safeUrl } from "../state/links.ts"
import { plain } from "../state/words.ts"

/** A link where the text is an http(s) address, the bare text otherwise. */
export function SafeLink({ text, children }: { text: string; children?: string }) {
  const href = safeUrl(text)
  if (!href) return <span className="foreign">{plain(text)}</span>
  return (
    <a href={href} target="_blank" rel="noopener noreferrer" className="link foreign">
      {children ?? plain(text)}
    </a>
  )
}
