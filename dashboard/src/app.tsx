/** The page: which of its places is shown, and what is around it. */

import { useEffect } from "react"
import { Channels } from "./components/channels.tsx"
import { Later, makeCode } from "./components/later.tsx"
import { NoSuchPlace } from "./components/no-such-place.tsx"
import { Notices } from "./components/notices.tsx"
import { PageFooter } from "./components/page-footer.tsx"
import { PanelBoundary } from "./components/panel-boundary.tsx"
import { type Place, Shell } from "./components/shell.tsx"
import { Waiting } from "./components/waiting.tsx"
import { useView } from "./hooks/use-feed.ts"
import { type GatewayStatus, useGatewayStatus } from "./hooks/use-gateway-status.ts"
import { useKiosk } from "./hooks/use-kiosk.ts"
import { usePreferences } from "./hooks/use-preferences.ts"
import Generic from "./pages/generic.tsx"
import Overview from "./pages/overview.tsx"
import Repositories from "./pages/repositories.tsx"
import { useRoute } from "./route.ts"

const TIMELINE = makeCode(() => import("./pages/timeline.tsx"))
const LATENCY = makeCode(() => import("./pages/latency.tsx"))
const CLIENTS = makeCode(() => import("./pages/clients.tsx"))
/** The first load is over by then. */
const FETCH_MS = 2_000

const PLACES: readonly Place[] = [
  { page: "", name: "Overview", icon: "home" },
  { page: "repositories", name: "Repositories", icon: "audit" },
  { page: "timeline", name: "Timeline", icon: "timeline" },
  { page: "latency", name: "Latency", icon: "gauge" },
  { page: "clients", name: "Clients", icon: "people" },
]
/** Those of a report that is no audit report. */
const OTHER_PLACES: readonly Place[] = [
  { page: "", name: "Report", icon: "audit" },
  ...PLACES.filter(({ page }) => page === "latency" || page === "clients"),
]

export function App() {
  const { page } = useRoute()
  const status = useGatewayStatus()
  const isGeneric = useView((view) => view.generic !== undefined)
  const [isKiosk, setKiosk] = useKiosk()
  const places = isGeneric ? OTHER_PLACES : PLACES
  const place = places.find((each) => each.page === page) ?? places[0]
  useTheme()
  useOtherPages()
  return (
    <Shell places={places} present={place?.page ?? ""} isKiosk={isKiosk} onKiosk={setKiosk} footer={<PageFooter />}>
      <Title name={place?.name ?? ""} />
      <Channels conditions={status?.channels ?? {}} />
      {place && place.page !== page && <NoSuchPlace page={page} shown={place.name} />}
      <PanelBoundary name="How the report fares">
        <Notices />
      </PanelBoundary>
      <PanelBoundary key={place?.page} name="This page">
        <Present page={place?.page ?? ""} status={status} />
      </PanelBoundary>
    </Shell>
  )
}

function Present({ page, status }: { page: string; status: GatewayStatus | null }) {
  const isEmpty = useView((view) => view.body === null)
  const isGeneric = useView((view) => view.generic !== undefined)
  if (page === "latency") return <Later code={LATENCY} />
  if (page === "clients") return <Later code={CLIENTS} />
  if (isEmpty) return <Waiting />
  if (isGeneric) return <Generic />
  if (page === "timeline") return <Later code={TIMELINE} />
  return page === "repositories" ? <Repositories /> : <Overview status={status} />
}

function fetchAll(): void {
  // What fails is asked for again when it is gone to.
  for (const code of [TIMELINE, LATENCY, CLIENTS]) code.fetch().catch(() => undefined)
}

/** Have the other pages here before they are gone to: the gateway may be away then, or be of another version. */
function useOtherPages(): void {
  useEffect(() => {
    const timer = setTimeout(fetchAll, FETCH_MS)
    return () => clearTimeout(timer)
  }, [])
}

function useTheme(): void {
  const { theme } = usePreferences()
  useEffect(() => {
    if (theme === "system") delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = theme
  }, [theme])
}

/** The tab tells how many repositories need somebody. Apart, so that the page is not rendered for it. */
function Title({ name }: { name: string }) {
  const troubled = useView(
    (view) => view.report?.repos.reduce((sum, { status }) => sum + +(status !== "clean"), 0) ?? 0,
  )
  useEffect(() => {
    document.title = `${troubled ? `${troubled} not clean · ` : ""}${name} · Reportcast`
  }, [troubled, name])
  return null
}
