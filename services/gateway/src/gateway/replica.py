"""A channel's latest state inside a gateway. Pure: what the relay receives comes in, what clients get goes out."""

import enum

from reportcast.broker.base import ChannelState
from reportcast.contracts.body import PreparedBody
from reportcast.contracts.frames import PreparedFrame, audit_update
from reportcast.contracts.messages import Message, Refreshed, Snapshot, Source
from reportcast.contracts.position import Continuity


class Applied(enum.Enum):
    """What a message came to."""

    NOTHING_NEW = "nothing new"
    SOURCE = "source"
    UPDATE = "update"
    LOST_TRACK = "lost track"


class Replica:
    """
    The newest snapshot and source of one channel.

    Attributes:
        snapshot: ``None`` before the first report.
        source: ``None`` until a watcher has told.
        body: The snapshot's; ``None`` before the first report.
        frame: What brings a client up to date; ``None`` before the first report.
        missed: Changes that were published but skipped here, because a later one arrived first.
    """

    def __init__(self) -> None:
        self.snapshot: Snapshot | None = None
        self.source: Source | None = None
        self.body: PreparedBody | None = None
        self.missed = 0
        self.frame: PreparedFrame | None = None

    def reset(self, state: ChannelState, timestamp: str) -> bool:
        """
        Take over what the broker has stored.

        Args:
            state: As read after subscribing.
            timestamp: Of the frame that clients get, ISO 8601 UTC.

        Returns:
            Whether clients have to be sent the new state.
        """
        self.source = state.source
        if state.snapshot is None:
            # A broker that lost its data: the last report is still the newest one known.
            return False
        known = self.snapshot
        if known and known.position == state.snapshot.position:
            return False
        if known and known.epoch == state.snapshot.epoch:
            self.missed += max(0, state.snapshot.offset - known.offset - 1)
        changed = known is None or known.digest != state.snapshot.digest
        self.snapshot = state.snapshot
        if changed:
            self._prepare(timestamp)
        return changed

    def apply(self, message: Message, timestamp: str) -> Applied:
        """Take in one message; after ``LOST_TRACK`` the stored state has to be read again."""
        match message:
            case Source():
                self.source = message
                return Applied.SOURCE
            case Refreshed():
                if self.snapshot is None:
                    return Applied.NOTHING_NEW
                self._prepare(timestamp)
                return Applied.UPDATE
            case Snapshot():
                return self._advance(message, timestamp)

    def _advance(self, snapshot: Snapshot, timestamp: str) -> Applied:
        if self.snapshot is not None:
            match self.snapshot.position.classify(snapshot.position):
                case Continuity.DUPLICATE:
                    return Applied.NOTHING_NEW
                case Continuity.NEW_EPOCH:
                    # Which of the two epochs is the present one is known to the broker alone.
                    return Applied.LOST_TRACK
                case Continuity.GAP:
                    # A snapshot is whole, so it may be applied across a gap; what it skips is counted.
                    self.missed += snapshot.offset - self.snapshot.offset - 1
                case Continuity.NEXT:
                    pass
        self.snapshot = snapshot
        self._prepare(timestamp)
        return Applied.UPDATE

    def _prepare(self, timestamp: str) -> None:
        assert self.snapshot is not None
        if self.body is None or self.body.raw is not self.snapshot.body:
            self.body = PreparedBody(self.snapshot.body)
        self.frame = audit_update(self.body, timestamp)
