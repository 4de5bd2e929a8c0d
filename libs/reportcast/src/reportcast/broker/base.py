"""What a broker promises. Each promise is a test that every broker passes (tests/integration/broker)."""

import contextlib
import dataclasses
import datetime
import enum
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from reportcast.broker.errors import BrokerError
from reportcast.contracts.messages import Delta, Message, Publication, Rejection, Snapshot, Source
from reportcast.contracts.position import Position


@dataclasses.dataclass(frozen=True, slots=True)
class Stored:
    """
    What a publish came to.

    Attributes:
        position: Where the channel now stands.
        changed: False when the content was the stored one already, and nothing was published.
        name: The report's name in the history.
    """

    position: Position
    changed: bool
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Lease:
    """
    Who may publish on a channel.

    Attributes:
        fence: Number of this tenure, to be given with everything that is published; ``None`` if another holds it.
            It grows with each tenure, and none comes again, also after the broker lost its data.
        holder: Who holds it.
        position: Where the channel stands; ``None`` before the first report.
        has_report: Whether there is a newest report; past ones may have been put back without one.
    """

    fence: int | None
    holder: str
    position: Position | None
    has_report: bool


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelState:
    """
    All that a gateway needs to serve a channel from nothing.

    Attributes:
        snapshot: The newest.
        source: How the file fares.
        deltas: The last changes, oldest first, without a gap up to the newest; empty if that one came whole.
    """

    snapshot: Snapshot | None = None
    source: Source | None = None
    deltas: Sequence[Delta] = ()


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


@dataclasses.dataclass(frozen=True, slots=True)
class DeltaLimits:
    """
    How far back a channel's changes are kept one by one, so that who was away can be given those it missed.

    Attributes:
        max_deltas: Count.
        max_bytes: Of all of them.
        max_age_s: Older ones are left out when the next one comes.
    """

    max_deltas: int = 1000
    max_bytes: int = 4 * 1024 * 1024
    max_age_s: int = 3600


@dataclasses.dataclass(frozen=True, slots=True)
class RejectionLimits:
    """
    How many refused contents a channel keeps.

    Attributes:
        max_rejections: Count.
        max_bytes: Of each content; what is longer is cut.
    """

    max_rejections: int = 20
    max_bytes: int = 1024 * 1024


# A watcher that was killed stops leading after so long; it renews its lease each RENEW_S. Failover takes at most their
# sum: less than the 5 s that are promised.
LEASE_S = 3.0
RENEW_S = 1.25


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

    async def lease(self, channels: Sequence[str], holder: str) -> list[Lease | BrokerError]:
        """
        Take or renew the lease of each channel for LEASE_S, where nobody else holds it.

        A channel that the broker refuses gets the error in its place, and disturbs no other.

        At most one holder has a channel's newest fence; what is published with an older one is refused.
        """
        ...

    async def release(self, channels: Sequence[str], holder: str) -> None:
        """Give up the leases that ``holder`` has, so that another need not wait for them to run out."""
        ...

    async def publish(self, channel: str, publication: Publication, fence: int | None = None) -> Stored:
        """
        Store, number, keep in the history and publish a report, all or nothing.

        Content with the stored digest changes nothing, whoever publishes it and however often. Subscribers get its
        delta if that starts from the stored report; else the whole, or word that there is one (INLINE_BYTES).

        On a server that may have lost what came last, because it was started again or took over, another epoch begins.

        Args:
            channel: Where.
            publication: What.
            fence: Of the publisher's lease; ``None`` is not checked.

        Raises:
            BrokerFenced: If another has taken the lease since, or the broker has lost it.
        """
        ...

    async def restore(self, channel: str, publication: Publication, fence: int) -> bool:
        """
        Put a past report into the history of a channel that has no newest report yet; nobody is told.

        Returns:
            False if there is a newest report, or a past one of that name already: then nothing was done.

        Raises:
            BrokerFenced: See ``publish``.
        """
        ...

    async def state(self, channel: str) -> ChannelState:
        """Read all of it in one read, as of one moment."""
        ...

    async def position(self, channel: str) -> Position | None:
        """Read where the channel stands; ``None`` before the first report."""
        ...

    async def set_source(self, channel: str, source: Source, fence: int | None = None) -> None:
        """
        Store and publish how the watched file fares.

        Raises:
            BrokerFenced: See ``publish``.
        """
        ...

    async def set_sources(self, sources: Mapping[str, tuple[Source, int]]) -> None:
        """Do as ``set_source`` for several channels, each with its fence, at once; one that is refused is left out."""
        ...

    async def reject(self, channel: str, rejection: Rejection, content: bytes) -> None:
        """Keep a refused content; the oldest makes room (``RejectionLimits``)."""
        ...

    async def rejections(self, channel: str) -> list[Rejection]:
        """List the refused contents that are kept, newest first."""
        ...

    async def rejected_content(self, channel: str, rejection_id: str) -> bytes | None:
        """Read a refused content, cut to ``RejectionLimits.max_bytes``; ``None`` if there is none of that id."""
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

    def refresh_requests(self, channels: Sequence[str]) -> contextlib.AbstractAsyncContextManager[AsyncIterator[str]]:
        """Receive the channel of every request made after entry. The iterator raises when the link is lost."""
        ...

    async def history(self, channel: str) -> list[str]:
        """List the names of the kept reports, newest first."""
        ...

    async def offsets(self, channel: str) -> dict[str, int]:
        """Give the offset of each kept report by its name, newest first."""
        ...

    async def past_report(self, channel: str, name: str) -> Snapshot | None:
        """Read one kept report; ``None`` if there is none of that name."""
        ...

    async def time(self) -> datetime.datetime | None:
        """Tell the time by the broker's own clock, aware; ``None`` if it has none but this process's."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...
