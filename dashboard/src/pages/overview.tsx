import { AttentionPanel } from "../components/attention-panel.tsx"
import { ChangesPanel } from "../components/changes-panel.tsx"
import { CountTiles } from "../components/count-tiles.tsx"
import { HealthBanner } from "../components/health-banner.tsx"
import { PanelBoundary } from "../components/panel-boundary.tsx"
import { useView } from "../hooks/use-feed.ts"
import type { GatewayStatus } from "../hooks/use-gateway-status.ts"

/** How everything stands, what changed, and what needs somebody. */
export default function Overview({ status }: { status: GatewayStatus | null }) {
  const report = useView((view) => view.report)
  if (!report) return null
  return (
    <>
      <h1 className="sr-only">Overview</h1>
      <PanelBoundary name="The health">
        <HealthBanner report={report} everyS={status?.expectedEveryS ?? null} dueAt={status?.dueAt ?? null} />
      </PanelBoundary>
      <PanelBoundary name="The summary">
        <CountTiles report={report} />
      </PanelBoundary>
      <div
        data-fit=""
        className="grid grid-cols-1 items-start gap-4 lg:grid-cols-2 in-data-kiosk:lg:min-h-0 in-data-kiosk:lg:flex-1 in-data-kiosk:lg:grid-rows-1 in-data-kiosk:lg:items-stretch"
      >
        <PanelBoundary name="What changed">
          <ChangesPanel />
        </PanelBoundary>
        <PanelBoundary name="What needs attention">
          <AttentionPanel report={report} />
        </PanelBoundary>
      </div>
    </>
  )
}
