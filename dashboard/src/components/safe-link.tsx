import { safeUrl } from "../state/links.ts"

/** A link where the text is an http(s) address, the bare text otherwise. */
export function SafeLink({ text, children }: { text: string; children?: string }) {
  const href = safeUrl(text)
  if (!href) return <span className="foreign">{text}</span>
  return (
    <a href={href} target="_blank" rel="noopener noreferrer" className="link foreign">
      {children ?? text}
    </a>
  )
}
