import { useMemo, useState } from "react"
import { behindWords, type ConnectedClient, findClients, programOf, transportWord } from "../state/clients.ts"
import { lineOr, plain } from "../state/words.ts"
import { Age } from "./age.tsx"
import { Icon } from "./icon.tsx"
import { Sideways } from "./sideways.tsx"

const FEW = 200

/** Every client, oldest first; the first of them where they are very many. */
export function ClientTable({ clients, ahead }: { clients: readonly ConnectedClient[]; ahead: number }) {
  const [search, setSearch] = useState("")
  const found = useMemo(() => findClients(clients, search), [clients, search])
  const shown = found.slice(0, FEW)
  return (
    <section aria-labelledby="clients-title" className="card">
      <header className="flex min-h-12 flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2">
        <h2 id="clients-title" className="title">
          Connected
        </h2>
        <span role="status" className="text-xs text-quiet tabular-nums">
          {found.length < clients.length && `${found.length.toLocaleString()} of `}
          {clients.length.toLocaleString()}
          {found.length > FEW && `; the ${FEW} that are connected longest are listed`}
        </span>
        <input
          type="search"
          aria-label="Find clients"
          placeholder="Address, channel, program"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          className="field ml-auto w-64 max-sm:w-full print:hidden"
        />
      </header>
      <Sideways label="Clients">
        <table className="w-full text-left tabular-nums">
          <caption className="sr-only">The clients that are connected, longest first</caption>
          <thead className="text-xs text-quiet max-sm:sr-only">
            <tr className="border-t border-line *:py-1.5 *:pr-4 *:font-normal">
              <th scope="col" className="pl-4">
                Address
              </th>
              <th scope="col">Program</th>
              <th scope="col">Channel</th>
              <th scope="col">By</th>
              <th scope="col">Since</th>
              <th scope="col" className="text-right">
                Updates sent
              </th>
              <th scope="col">How far behind</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((client) => (
              <Row key={client.key} client={client} ahead={ahead} />
            ))}
          </tbody>
        </table>
      </Sideways>
      {found.length === 0 && (
        <p className="border-t border-line p-8 text-center text-quiet">
          {clients.length ? "No client matches." : "Nobody is connected."}
        </p>
      )}
    </section>
  )
}

/** On a phone each is a few lines: a table of seven columns has no place there. */
const ROW =
  "border-t border-line hover:bg-sunken *:py-1.5 *:pr-4 max-sm:flex max-sm:flex-wrap max-sm:gap-x-3 max-sm:px-3.5 max-sm:py-2 max-sm:*:p-0!"

function Row({ client, ahead }: { client: ConnectedClient; ahead: number }) {
  const isBehind = client.behind > 0
  return (
    <tr className={ROW}>
      <th scope="row" className="foreign pl-4 font-mono text-[0.8125rem] font-semibold max-sm:w-full">
        {lineOr("not told", client.address)}
      </th>
      <td className="foreign" title={plain(client.userAgent)}>
        <span className="line-clamp-1 max-w-72">{plain(programOf(client.userAgent))}</span>
      </td>
      <td className="foreign text-quiet">{client.channel}</td>
      <td className="whitespace-nowrap">{transportWord(client.transport)}</td>
      <td className="whitespace-nowrap text-quiet">
        <Age at={client.connectedAt} ahead={ahead} />
      </td>
      <td className="text-right max-sm:hidden">{client.framesSent.toLocaleString()}</td>
      <td data-tone={isBehind ? "warn" : "good"}>
        <span className={`flex items-center gap-1.5 whitespace-nowrap ${isBehind ? "font-semibold text-tone" : ""}`}>
          <span className="text-tone">
            <Icon name={isBehind ? "clock" : "check"} className="size-3.5" />
          </span>
          {behindWords(client)}
        </span>
      </td>
    </tr>
  )
}
