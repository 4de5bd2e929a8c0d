import { type FormEvent, useId, useState } from "react"
import { Icon } from "./icon.tsx"

interface Props {
  readonly label: string
  /** What the button does. */
  readonly action: string
  /** What becomes of the token. */
  readonly told: string
  /** Why the last one was refused, in a sentence. */
  readonly refusal?: string | null
  readonly onToken: (token: string) => void
}

/** Asks for a token. */
export function TokenField({ label, action, told, refusal = null, onToken }: Props) {
  const id = useId()
  const [token, setToken] = useState("")
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (token.trim()) onToken(token.trim())
  }
  return (
    <form onSubmit={submit} className="space-y-3 text-left">
      <div>
        <label htmlFor={id} className="mb-1 block font-semibold">
          {label}
        </label>
        <div className="flex gap-2">
          <input
            id={id}
            type="password"
            autoComplete="off"
            spellCheck={false}
            value={token}
            aria-invalid={refusal !== null}
            aria-describedby={`${id}-told`}
            onChange={(event) => setToken(event.target.value)}
            className="field min-w-0 flex-1 font-mono"
          />
          <button type="submit" className="button" disabled={!token.trim()}>
            {action}
          </button>
        </div>
      </div>
      <p id={`${id}-told`} role="status" data-tone={refusal ? "bad" : "none"} className="flex gap-2 text-xs text-tone">
        {refusal && <Icon name="trouble" />}
        <span className="first-letter:uppercase">{refusal ? `${refusal}.` : told}</span>
      </p>
    </form>
  )
}
