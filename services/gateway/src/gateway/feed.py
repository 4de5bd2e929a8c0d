"""What this gateway serves: a feed for each channel, and what all of them share; made once per process."""

import asyncio
import dataclasses
import datetime
import functools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import structlog
from reportcast.broker.base import Broker
from reportcast.broker.clock import BrokerClock
from reportcast.contracts.clock import iso_utc
from reportcast.service.descriptors import connection_limit
from reportcast.telemetry.health import Health

from gateway.admission import Admission
from gateway.audiences import Audiences
from gateway.compressor import Compressor
from gateway.hub import Follower, Hub
from gateway.lateness import late_by_s
from gateway.ledger import Ledger
from gateway.metrics import GatewayMetrics
from gateway.outlines import Outlines
from gateway.relay import Relay
from gateway.replica import Replica
from gateway.roster import Roster
from gateway.settings import ServerSettings
from gateway.shelf import Shelf
from gateway.status import fares
from gateway.traces import Traces

if TYPE_CHECKING:
    from gateway.probing import Probing

log = structlog.get_logger("feed")


@dataclasses.dataclass(frozen=True, slots=True)
class Feed:
    """
    One channel as this gateway serves it.

    Attributes:
        started_s: By the clock of the roster, which nobody sets.
        now: Gives the present one.
        clock: Compared with the broker's; one for all.
        traces: Where the time of the last changes went.
    """

    settings: ServerSettings
    broker: Broker
    channel: str
    replica: Replica
    audiences: Audiences
    relay: Relay
    roster: Roster
    compressor: Compressor
    shelf: Shelf
    outlines: Outlines
    metrics: GatewayMetrics
    health: Health
    started_s: float
    now: Callable[[], datetime.datetime]
    clock: BrokerClock
    traces: Traces

    @property
    def timestamp(self) -> str:
        """The present time as the contract writes it."""
        return iso_utc(self.now())

    @property
    def admission(self) -> Admission:
        """The limits, which are of all channels together."""
        return self.roster.admission

    def tell_status(self) -> None:
        """Tell the clients how this channel fares, if it is not what they were told last."""
        self.audiences.status.publish(fares(self), self.timestamp)

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
        probe: This gateway's own client; ``None`` where there is none.
    """

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self.first = feeds[0]
        self.is_draining = False
        self.probe: Probing | None = None
        self._by_channel = {feed.channel: feed for feed in feeds}

    def __iter__(self) -> Iterator[Feed]:
        return iter(self._by_channel.values())

    def get(self, channel: str | None) -> Feed | None:
        """Give the feed of ``channel``, the first without a name; ``None`` if there is none of that name."""
        return self.first if channel is None else self._by_channel.get(channel)

    @property
    def not_served(self) -> str:
        """What a client is told that asks for a channel which is not served."""
        return f"this channel is not served here; served are: {', '.join(self.channels)}"

    @property
    def channels(self) -> list[str]:
        """Their names, the first one first."""
        return list(self._by_channel)

    @property
    def roster(self) -> Roster:
        """Who is connected, whatever they follow."""
        return self.first.roster

    @property
    def admission(self) -> Admission:
        """The limits, which are of all channels together."""
        return self.roster.admission


def make_feeds(
    settings: ServerSettings,
    broker: Broker,
    channels: Sequence[str],
    metrics: GatewayMetrics,
    health: Health,
    now: Callable[[], datetime.datetime],
    admission: Admission | None = None,
    logger: Callable[[str], structlog.stdlib.BoundLogger] = structlog.get_logger,
) -> Feeds:
    """
    Put the feeds of ``channels`` (at least one) together; nothing runs until ``serve_feeds`` does.

    Without an ``admission``, which processes that share a ledger need, this process is the only one.
    """
    loop = asyncio.get_running_loop()
    if admission is None:
        limit = connection_limit(settings.gateway_max_connections)
        admission = Admission(settings, limit, Ledger(), 0, time.monotonic)
    compressor = Compressor()
    shelf, outlines = Shelf(broker, compressor), Outlines(broker, compressor)
    clock = BrokerClock(broker, now, metrics.clock.tell)
    roster = Roster(admission, metrics, now, loop.time, logger("websocket"))
    make_hub = functools.partial(Hub, loop.call_soon, metrics.sent.inc, metrics.conflated.inc, _drop)
    feeds = []
    for channel in channels:
        replica, audiences = Replica(), Audiences(channel, make_hub, compressor, loop.time)
        traces = Traces(channel, metrics, lambda: clock.skew)
        relay = Relay(broker, channel, replica, audiences, compressor, metrics, health, now, traces, logger("relay"))
        feed = Feed(
            settings=settings,
            broker=broker,
            channel=channel,
            replica=replica,
            audiences=audiences,
            relay=relay,
            roster=roster,
            compressor=compressor,
            shelf=shelf,
            outlines=outlines,
            metrics=metrics,
            health=health,
            started_s=loop.time(),
            now=now,
            clock=clock,
            traces=traces,
        )
        relay.on_news(feed.tell_status)
        metrics.overdue.labels(channel).set_function(functools.partial(_overdue_s, feed))
        feeds.append(feed)
    return Feeds(feeds)


def _drop(follower: Follower, error: Exception) -> None:
    log.error("connection failed", id=follower.peer.id, error=repr(error))
    follower.abort()


def _overdue_s(feed: Feed) -> float:
    return feed.late_by_s or 0.0
