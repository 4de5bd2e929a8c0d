/** What somebody needs to know who is asked why the page does not work, as text. */

import type { Client } from "../client/index.ts"

export function diagnosticsOf(client: Client): string {
  const { connection, follower, hello, sharing, receivedAt } = client.getFeed()
  const { frame, verified } = follower.report ?? {}
  return [
    `Reportcast ${hello?.server ?? "(no server yet)"}, ${new Date().toISOString()}`,
    `page: ${location.origin}${location.pathname}`, // without the query: it may hold a token
    `browser: ${navigator.userAgent}, ${navigator.onLine ? "online" : "offline"}, ${document.visibilityState}`,
    `connection: ${JSON.stringify(connection, dated)}, ${sharing}`,
    `channel: ${follower.channel}, ${follower.phase}`,
    frame ? `report: ${frame.name} at ${frame.epoch}/${frame.offset}, digest verified: ${verified}` : "report: none",
    `received: ${receivedAt === null ? "never" : new Date(receivedAt).toISOString()}`,
    "",
    ...client.diagnostics(),
  ].join("\n")
}

/** Times as people read them. */
function dated(name: string, value: unknown): unknown {
  return typeof value === "number" && (name === "since" || name === "retryAt") ? new Date(value).toISOString() : value
}
