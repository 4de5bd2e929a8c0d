"""What this gateway serves: a feed for each channel, and what all of them share; made once per process."""

import asyncio
import dataclasses
import datetime
import functools
import time
from collections.abc import Callable, Iterator, Sequence

import structlog
from reportcast.broker.base import Broker
from reportcast.contracts.clock import iso_utc
from reportcast.contracts.frames import PreparedFrame, no_report, skipped
from reportcast.service.descriptors import connection_limit
from reportcast.telemetry.health import Health

from gateway.admission import Admission
from gateway.compressor import Compressor
from gateway.hub import Connection, Hub, Peer
from gateway.lateness import late_by_s
from gateway.ledger import Ledger
from gateway.metrics import GatewayMetrics
from gateway.relay import Relay
from gateway.replica import Replica
from gateway.settings import ServerSettings
from gateway.shelf import Shelf

log = structlog.get_logger("feed")


@dataclasses.dataclass(frozen=True, slots=True)
class Feed:
    """
    One channel as this gateway serves it.

    Attributes:
        started_at: Aware UTC time.
        now: Gives the present one.
        clock: Gives the event loop's time, in seconds.
    """

    settings: ServerSettings
    broker: Broker
    channel: str
    replica: Replica
    hub: Hub
    relay: Relay
    admission: Admission
    compressor: Compressor
    shelf: Shelf
    metrics: GatewayMetrics
    health: Health
    started_at: datetime.datetime
    now: Callable[[], datetime.datetime]
    clock: Callable[[], float]

    @property
    def timestamp(self) -> str:
        """The present time as the contract writes it."""
        return iso_utc(self.now())

    def no_report(self) -> PreparedFrame:
        """Give what a client gets while there is no report."""
        return no_report(self.timestamp)

    def skipped(self, count: int) -> PreparedFrame:
        """Give what a slow client gets before an update, if it wants to know."""
        return skipped(count, self.timestamp)

    def opened_at(self, peer: Peer) -> str:
        """When ``peer`` connected, ISO 8601 UTC."""
        return iso_utc(self.now() - datetime.timedelta(seconds=self.clock() - peer.opened_s))

    @property
    def late_by_s(self) -> float | None:
        """How late the report is at present, in seconds; ``None`` unless it is overdue."""
        return late_by_s(self.replica.source, self.now())


class Feeds:
    """
    The channels that this process serves.

    Args:
        feeds: One per channel, at least one; the first is served to those who name no channel.

    Attributes:
        is_draining: Whether this process is about to end, and lets nobody in any more.
    """

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self.first = feeds[0]
        self.is_draining = False
        self._by_channel = {feed.channel: feed for feed in feeds}

    def __iter__(self) -> Iterator[Feed]:
        return iter(self._by_channel.values())

    def get(self, channel: str | None) -> Feed | None:
        """Give the feed of ``channel``, the first without a name; ``None`` if there is none of that name."""
        return self.first if channel is None else self._by_channel.get(channel)

    @property
    def channels(self) -> list[str]:
        """Their names, the first one first."""
        return list(self._by_channel)

    @property
    def connections(self) -> list[tuple[Feed, Connection]]:
        """Those who follow any channel, each with its own."""
        return [(feed, connection) for feed in self for connection in feed.hub.connections]

    @property
    def admission(self) -> Admission:
        """The limits, which are of all channels together."""
        return self.first.admission


def make_feeds(
    settings: ServerSettings,
    broker: Broker,
    channels: Sequence[str],
    metrics: GatewayMetrics,
    health: Health,
    now: Callable[[], datetime.datetime],
    admission: Admission | None = None,
) -> Feeds:
    """
    Put the feeds of ``channels`` (at least one) together; nothing runs until ``serve_feeds`` does.

    Without an ``admission``, which processes that share a ledger need, this process is the only one.
    """
    started_at, loop = now(), asyncio.get_running_loop()
    if admission is None:
        limit = connection_limit(settings.gateway_max_connections)
        admission = Admission(settings, limit, Ledger(), 0, time.monotonic)
    compressor = Compressor()
    shelf = Shelf(broker, compressor)
    feeds = []
    for channel in channels:
        replica, hub = Replica(), Hub(loop.call_soon, metrics.sent.inc, metrics.conflated.inc, _drop)
        relay = Relay(broker, channel, replica, hub, compressor, metrics, health, now)
        feed = Feed(
            settings=settings,
            broker=broker,
            channel=channel,
            replica=replica,
            hub=hub,
            relay=relay,
            admission=admission,
            compressor=compressor,
            shelf=shelf,
            metrics=metrics,
            health=health,
            started_at=started_at,
            now=now,
            clock=loop.time,
        )
        metrics.overdue.labels(channel).set_function(functools.partial(_overdue_s, feed))
        feeds.append(feed)
    return Feeds(feeds)


def _drop(connection: Connection, error: Exception) -> None:
    log.error("connection failed", id=connection.peer.id, error=repr(error))
    connection.abort()


def _overdue_s(feed: Feed) -> float:
    return feed.late_by_s or 0.0
