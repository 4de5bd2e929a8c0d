"""Where a reader stands in a channel's stream."""

import dataclasses
import enum


class Continuity(enum.Enum):
    """How an incoming change relates to what a reader has already seen."""

    NEXT = "next"
    DUPLICATE = "duplicate"
    GAP = "gap"
    NEW_EPOCH = "new epoch"


@dataclasses.dataclass(frozen=True, slots=True)
class Position:
    """
    Where a reader stands in one channel's stream.

    Attributes:
        epoch: Identity of the stream. When it changes, offsets start over.
        offset: Number of the last change applied; 0 before the first.

    Source: docs/protocol.md, Positions.
    """

    epoch: str
    offset: int

    def __str__(self) -> str:
        return f"{self.epoch}:{self.offset}"

    def classify(self, incoming: "Position") -> Continuity:
        """Tell what ``incoming`` means to a reader standing here."""
        if incoming.epoch != self.epoch:
            return Continuity.NEW_EPOCH
        if incoming.offset <= self.offset:
            return Continuity.DUPLICATE
        if incoming.offset == self.offset + 1:
            return Continuity.NEXT
        return Continuity.GAP
