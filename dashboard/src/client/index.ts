/** Follows a channel of a gateway, without a framework. */

export { type Client, connect, type Options } from "./client.ts"
export type { Listener } from "./keeper.ts"
export type { ClientEvent, ConnectionState, Feed, Mode, Sharing, StopCode, TransportName } from "./state.ts"
