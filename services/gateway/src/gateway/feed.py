"""What this gateway serves: a feed for each channel, and what all of them share; made once per process."""

import dataclasses
import datetime
import functools
from collections.abc import Callable, Iterator, Sequence

from reportcast.broker.base import Broker
from reportcast.contracts.clock import iso_utc
from reportcast.telemetry.health import Health

from gateway.compressor import Compressor
from gateway.hub import Connection, Hub
from gateway.lateness import late_by_s
from gateway.metrics import GatewayMetrics
from gateway.relay import Relay
from gateway.replica import Replica
from gateway.settings import ServerSettings


@dataclasses.dataclass(frozen=True, slots=True)
class Feed:
    """
    One channel as this gateway serves it.

    Attributes:
        started_at: Aware UTC time.
        now: Gives the present one.
    """

    settings: ServerSettings
    broker: Broker
    channel: str
    replica: Replica
    hub: Hub
    relay: Relay
    compressor: Compressor
    metrics: GatewayMetrics
    health: Health
    started_at: datetime.datetime
    now: Callable[[], datetime.datetime]

    @property
    def timestamp(self) -> str:
        """The present time as the contract writes it."""
        return iso_utc(self.now())

    @property
    def late_by_s(self) -> float | None:
        """How late the report is at present, in seconds; ``None`` unless it is overdue."""
        return late_by_s(self.replica.source, self.now())


class Feeds:
    """
    The channels that this process serves.

    Args:
        feeds: One per channel, at least one; the first is served to those who name no channel.
    """

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self.first = feeds[0]
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
    def connections(self) -> list[Connection]:
        """Those who follow any channel, oldest first."""
        everyone = (connection for feed in self for connection in feed.hub.connections)
        return sorted(everyone, key=lambda connection: connection.peer.id)

    @property
    def is_full(self) -> bool:
        """Whether the limit is reached; it is of all channels together."""
        return sum(len(feed.hub) for feed in self) >= self.first.settings.gateway_max_connections


def make_feeds(
    settings: ServerSettings,
    broker: Broker,
    channels: Sequence[str],
    metrics: GatewayMetrics,
    health: Health,
    now: Callable[[], datetime.datetime],
) -> Feeds:
    """Put the feeds of ``channels`` (at least one) together; nothing runs until ``serve_feeds`` does."""
    started_at = now()
    compressor = Compressor()
    feeds = []
    for channel in channels:
        replica, hub = Replica(), Hub()
        relay = Relay(broker, channel, replica, hub, metrics, health, now)
        feed = Feed(settings, broker, channel, replica, hub, relay, compressor, metrics, health, started_at, now)
        metrics.overdue.labels(channel).set_function(functools.partial(_overdue_s, feed))
        feeds.append(feed)
    return Feeds(feeds)


def _overdue_s(feed: Feed) -> float:
    return feed.late_by_s or 0.0
