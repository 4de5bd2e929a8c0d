import { useEffect, useState } from "react"
import { ClientTable } from "../components/client-table.tsx"
import { Absent } from "../components/difference.tsx"
import { Icon } from "../components/icon.tsx"
import { PanelBoundary } from "../components/panel-boundary.tsx"
import { TokenForm } from "../components/token-form.tsx"
import { useAnswer } from "../hooks/use-answer.ts"
import { useView } from "../hooks/use-feed.ts"
import { type Crowd, readClients, TRANSPORTS, transportWord } from "../state/clients.ts"
import { AnswerError, sentenceOf } from "../state/gateway.ts"

const EVERY_MS = 5_000
/** More than these are asked for by the button alone, for their list is of megabytes; so is what was not answered. */
const MANY = 2_000

/** Outlives a visit of another page, and nothing else: it is nowhere but in this tab's memory. */
let remembered: string | undefined

/** Who is connected, where, how and since when; for admins. */
export default function Clients() {
  const [token, setToken] = useState(remembered)
  const [refusal, setRefusal] = useState<string | null>(null)
  const choose = (next: string | undefined, why: string | null = null) => {
    remembered = next
    setToken(next)
    setRefusal(why)
  }
  return (
    <>
      <h1 className="sr-only">Clients</h1>
      <PanelBoundary name="The list of clients">
        {token === undefined ? (
          <TokenForm refusal={refusal} onToken={choose} />
        ) : (
          <Listed token={token} onForget={(why) => choose(undefined, why)} />
        )}
      </PanelBoundary>
    </>
  )
}

/** @param onForget Given why the token does not do, or `null` if the person wants so. */
function Listed({ token, onForget }: { token: string; onForget: (why: string | null) => void }) {
  const ahead = useView((view) => view.serverAhead)
  const [isFollowed, setFollowed] = useState(false)
  const everyMs = isFollowed ? EVERY_MS : undefined
  const { value, error, ask } = useAnswer("api/ws/clients", readClients, { token, everyMs })
  const isFew = value !== null && value.count <= MANY
  if (isFew !== isFollowed) setFollowed(isFew)
  const refusal = error instanceof AnswerError && REFUSALS.has(error.status) ? error.message : null
  useEffect(() => {
    if (refusal !== null) onForget(refusal)
  })
  if (!value) {
    const sentence = error === null ? null : `${sentenceOf(error)}.`
    return <div className="card">{refusal === null && <Absent sentence={sentence} onRetry={ask} />}</div>
  }
  return (
    <>
      {error !== null && (
        <p role="status" data-tone="warn" className="card flex items-center gap-2 px-4 py-2.5 text-tone">
          <Icon name="trouble" />
          What is shown may be out of date: {sentenceOf(error)}.
        </p>
      )}
      <Totals crowd={value} onAsk={ask} onForget={() => onForget(null)} />
      <ClientTable clients={value.clients} ahead={ahead} />
    </>
  )
}

const REFUSALS = new Set([401, 403])

interface TotalsProps {
  readonly crowd: Crowd
  readonly onAsk: () => void
  readonly onForget: () => void
}

function Totals({ crowd: { count, clients, workers }, onAsk, onForget }: TotalsProps) {
  const [asked, answered] = workers
  const behind = clients.filter((client) => client.behind > 0).length
  return (
    <section aria-label="In all" className="flex flex-wrap items-center gap-x-8 gap-y-2">
      <dl className="flex flex-wrap gap-x-8 gap-y-1 tabular-nums">
        <Total name="Clients" value={count} />
        {Object.keys(TRANSPORTS).map((transport) => (
          <Total
            key={transport}
            name={transportWord(transport)}
            value={clients.filter((client) => client.transport === transport).length}
          />
        ))}
        <Total name="Behind" value={behind} />
      </dl>
      {answered < asked && (
        <p data-tone="warn" className="text-tone">
          {asked - answered} of {asked} worker processes did not answer.
        </p>
      )}
      <div className="ml-auto flex gap-2 print:hidden in-data-kiosk:hidden">
        <button type="button" className="button" onClick={onAsk}>
          <Icon name="polling" />
          Refresh
        </button>
        <button type="button" className="button" onClick={onForget}>
          Forget the token
        </button>
      </div>
    </section>
  )
}

function Total({ name, value }: { name: string; value: number }) {
  return (
    <div>
      <dt className="text-xs text-quiet">{name}</dt>
      <dd className="text-xl font-semibold tracking-tight">{value.toLocaleString()}</dd>
    </div>
  )
}
