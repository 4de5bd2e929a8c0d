import { useIsKiosk } from "../hooks/use-kiosk.ts"
import { TokenField } from "./token-field.tsx"

interface Props {
  /** Why the last one was refused, in a sentence. */
  readonly refusal: string | null
  readonly onToken: (token: string) => void
}

/** Asks for the admin token. It is never written anywhere. */
export function TokenForm({ refusal, onToken }: Props) {
  if (useIsKiosk()) return <p className="card p-6 text-center text-quiet">Who is connected is for admins.</p>
  return (
    <section className="card mx-auto w-full max-w-lg space-y-3 p-6 max-sm:p-4">
      <h2 className="text-base font-semibold">Who is connected is for admins</h2>
      <p className="text-quiet">
        Addresses and programs of all clients are listed for whoever has the gateway's admin token, the one that{" "}
        <code className="font-mono text-[0.8125rem]">GATEWAY_ADMIN_TOKEN</code> sets.
      </p>
      <TokenField
        label="Admin token"
        action="Show clients"
        told="It stays in this tab's memory until it is closed or reloaded."
        refusal={refusal}
        onToken={onToken}
      />
    </section>
  )
}
