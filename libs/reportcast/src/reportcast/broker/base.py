"""What a broker promises. Each promise is a test that every broker passes (tests/integration/test_broker.py)."""

import contextlib
import dataclasses
import enum
from collections.abc import AsyncIterator
from typing import Protocol

from reportcast.contracts.messages import Message, Publication, Snapshot, Source
from reportcast.contracts.position import Position


@dataclasses.dataclass(frozen=True, slots=True)
class Stored:
    """
    What a publish came to.

    Attributes:
        position: Where the channel now stands.
        changed: False when the content was the stored one already, and nothing was published.
    """

    position: Position
    changed: bool


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelState:
    """All that a gateway needs to serve a channel from nothing."""

    snapshot: Snapshot | None = None
    source: Source | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class HistoryLimits:
    """
    How much history a channel keeps; the newest report is always kept.

    Attributes:
        max_reports: Count.
        max_bytes: Of the reports' bodies.
    """

    max_reports: int = 100
    max_bytes: int = 64 * 1024 * 1024


class Refresh(enum.Enum):
    """What became of a request to read the file again."""

    REQUESTED = "requested"
    TOO_SOON = "too soon"
    NO_WATCHER = "no watcher"


class Broker(Protocol):
    """
    Every method may raise ``BrokerError``. A channel is named by letters, digits, ``-`` and ``_``.

    A message reaches each subscriber at most once and in order; what a subscriber missed shows in the position.
    """

    async def publish(self, channel: str, publication: Publication) -> Stored:
        """
        Store, number, keep in the history and publish a report, all or nothing.

        Content with the stored digest changes nothing, whoever publishes it and however often.
        """
        ...

    async def state(self, channel: str) -> ChannelState:
        """Read the newest snapshot and the source's state in one read."""
        ...

    async def position(self, channel: str) -> Position | None:
        """Read where the channel stands; ``None`` before the first report."""
        ...

    async def set_source(self, channel: str, source: Source) -> None:
        """Store and publish how the watched file fares."""
        ...

    async def announce_refreshed(self, channel: str) -> None:
        """Publish that the file was read again on request."""
        ...

    def subscribe(self, channel: str) -> contextlib.AbstractAsyncContextManager[AsyncIterator[Message]]:
        """Receive every message published after entry. The iterator raises when the link is lost."""
        ...

    async def request_refresh(self, channel: str) -> Refresh:
        """Ask the watchers to read the file again; at most one request a second is passed on."""
        ...

    def refresh_requests(self, channel: str) -> contextlib.AbstractAsyncContextManager[AsyncIterator[None]]:
        """Receive every request made after entry. The iterator raises when the link is lost."""
        ...

    async def history(self, channel: str) -> list[str]:
        """List the names of the kept reports, newest first."""
        ...

    async def past_report(self, channel: str, name: str) -> bytes | None:
        """Read the body of one kept report; ``None`` if there is none of that name."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...
