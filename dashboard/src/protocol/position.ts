/** Where a reader stands in a channel's stream. Source: docs/protocol.md, Positions. */

/** Identity of the stream, and the number of the last change applied. */
export interface Position {
  readonly epoch: string
  readonly offset: number
}

/** How an incoming change relates to what a reader has already seen. */
export type Continuity = "next" | "duplicate" | "gap" | "new epoch"

/** Tell what `incoming` means to a reader standing `here`. */
export function classify(here: Position, incoming: Position): Continuity {
  if (incoming.epoch !== here.epoch) return "new epoch"
  if (incoming.offset <= here.offset) return "duplicate"
  return incoming.offset === here.offset + 1 ? "next" : "gap"
}
