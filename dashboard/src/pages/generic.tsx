import { Age } from "../components/age.tsx"
import { CopyButton } from "../components/copy-button.tsx"
import { JsonTree } from "../components/json-tree.tsx"
import { useView } from "../hooks/use-feed.ts"

/** A report that is no audit report: as it is. */
export default function Generic() {
  const channel = useView((view) => view.channel)
  const value = useView((view) => view.generic)
  const body = useView((view) => view.body)
  const modifiedAt = useView((view) => view.modifiedAt)
  const ahead = useView((view) => view.serverAhead)
  if (value === undefined) return null
  return (
    <section className="card" aria-labelledby="generic-title">
      <header className="flex flex-wrap items-center gap-x-3 px-4 py-2">
        <h1 id="generic-title" className="foreign title">
          {channel ?? "Report"}
        </h1>
        <span className="text-xs text-quiet">{modifiedAt !== null && <Age at={modifiedAt} ahead={ahead} />}</span>
        <span className="ml-auto print:hidden">
          <CopyButton what="report" label="Copy JSON" text={() => body ?? ""} />
        </span>
      </header>
      <div className="border-t border-line p-4">
        <JsonTree value={value} />
      </div>
    </section>
  )
}
