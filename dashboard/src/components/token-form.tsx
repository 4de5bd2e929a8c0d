import { type FormEvent, useId, useState } from "react"
import { useIsKiosk } from "../hooks/use-kiosk.ts"
import { Icon } from "./icon.tsx"

interface Props {
  /** Why the last one was refused, in a sentence. */
  readonly refusal: string | null
  readonly onToken: (token: string) => void
}

/** Asks for the admin token. It is never written anywhere. */
export function TokenForm({ refusal, onToken }: Props) {
  const id = useId()
  const [token, setToken] = useState("")
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (token.trim()) onToken(token.trim())
  }
  if (useIsKiosk()) return <p className="card p-6 text-center text-quiet">Who is connected is for admins.</p>
  return (
    <form onSubmit={submit} className="card mx-auto w-full max-w-lg space-y-3 p-6 max-sm:p-4">
      <h2 className="text-base font-semibold">Who is connected is for admins</h2>
      <p className="text-quiet">
        Addresses and programs of all clients are listed for whoever has the gateway's admin token, the one that{" "}
        <code className="font-mono text-[0.8125rem]">GATEWAY_ADMIN_TOKEN</code> sets.
      </p>
      <div>
        <label htmlFor={id} className="mb-1 block font-semibold">
          Admin token
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
            Show clients
          </button>
        </div>
      </div>
      <p id={`${id}-told`} role="status" data-tone={refusal ? "bad" : "none"} className="flex gap-2 text-xs text-tone">
        {refusal && <Icon name="trouble" />}
        <span className="first-letter:uppercase">
          {refusal ? `${refusal}.` : "It stays in this tab's memory until it is closed or reloaded."}
        </span>
      </p>
    </form>
  )
}
