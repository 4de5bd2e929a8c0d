/** The page: which of its places is shown, and what is around it. */

import { lazy, Suspense, useEffect } from "react"
import { Channels } from "./components/channels.tsx"
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

const Timeline = lazy(() => import("./pages/timeline.tsx"))
const Latency = lazy(() => import("./pages/latency.tsx"))
const Clients = lazy(() => import("./pages/clients.tsx"))

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
  return (
    <Shell places={places} present={place?.page ?? ""} isKiosk={isKiosk} onKiosk={setKiosk} footer={<PageFooter />}>
      <Title name={place?.name ?? ""} />
      <Channels present={status?.channel ?? null} channels={status?.channels ?? {}} />
      {place && place.page !== page && <NoSuchPlace page={page} shown={place.name} />}
      <PanelBoundary name="How the report fares">
        <Notices />
      </PanelBoundary>
      <PanelBoundary key={place?.page} name="This page">
        <Suspense fallback={<p className="p-10 text-center text-quiet">Loading…</p>}>
          <Present page={place?.page ?? ""} status={status} />
        </Suspense>
      </PanelBoundary>
    </Shell>
  )
}

function Present({ page, status }: { page: string; status: GatewayStatus | null }) {
  const isEmpty = useView((view) => view.body === null)
  const isGeneric = useView((view) => view.generic !== undefined)
  if (page === "latency") return <Latency />
  if (page === "clients") return <Clients />
  if (isEmpty) return <Waiting />
  if (isGeneric) return <Generic channel={status?.channel ?? null} />
  if (page === "timeline") return <Timeline />
  return page === "repositories" ? <Repositories /> : <Overview status={status} />
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
