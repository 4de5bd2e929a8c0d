"""
The one broker subscription of a channel in a gateway process: joins, follows, notices a dead link, joins again.

Joining is: subscribe first, then read the stored state, then apply. So nothing falls between the two.

Source: docs/protocol.md, Joining.
"""

import asyncio
import datetime
from collections.abc import AsyncIterator, Callable

import structlog
from reportcast.broker.backoff import Outage
from reportcast.broker.base import Broker
from reportcast.broker.errors import BrokerError, BrokerUnavailable
from reportcast.contracts.clock import iso_utc
from reportcast.contracts.frames import PreparedFrame
from reportcast.contracts.messages import Message, Snapshot, Source
from reportcast.contracts.position import Continuity, Position
from reportcast.telemetry.health import Health

from gateway.compressor import Compressor
from gateway.hub import Hub
from gateway.metrics import GatewayMetrics
from gateway.replica import Applied, Replica

# The client library does not notice a half-open link, so the stored position is compared this often...
VERIFY_S = 5.0
# ... and a message gets so long to arrive after its position could be read.
GRACE_S = 1.0


class _LostTrackError(Exception):
    """The stored state has to be read again."""


class Relay:
    """
    Feeds one channel's replica and hub from the broker.

    Attributes:
        is_connected: Whether the replica follows the broker now. False: what is served may be stale.
        heard_at: When a watcher last told how the report file fares; aware, ``None`` if never.

    Args:
        broker: Where from.
        channel: Which report.
        replica: To keep in step.
        hub: To hand frames to.
        compressor: For large reports.
        metrics: To count in.
        health: Its condition ``channel <name>`` holds once the state was read; losing the broker later leaves the
            gateway ready, because it still serves the last state, marked stale.
        now: Aware UTC time.
    """

    def __init__(
        self,
        broker: Broker,
        channel: str,
        replica: Replica,
        hub: Hub,
        compressor: Compressor,
        metrics: GatewayMetrics,
        health: Health,
        now: Callable[[], datetime.datetime],
    ) -> None:
        self.heard_at: datetime.datetime | None = None
        self._broker = broker
        self._channel = channel
        self._replica = replica
        self._hub = hub
        self._compressor = compressor
        self._published: PreparedFrame | None = None
        self._metrics = metrics
        self._health = health
        self._now = now
        self._log = structlog.get_logger("relay").bind(channel=channel)
        self._condition = f"channel {channel}"
        health.fail(self._condition, "its state was not read yet")
        self._connected(False)

    async def run(self) -> None:
        """Follow the channel, for ever."""
        outage = Outage(self._log, asyncio.get_running_loop().time, self._metrics.broker_retries.inc)
        while True:
            try:
                await self._follow(outage.end)
            except* BrokerError as group:
                self._connected(False)
                await outage.wait(group.exceptions[0])
            except* _LostTrackError:
                self._connected(False)

    async def _follow(self, joined: Callable[[], None]) -> None:
        async with asyncio.TaskGroup() as tasks, self._broker.subscribe(self._channel) as messages:
            state = await self._broker.state(self._channel)
            if state.source and state.source.heard_at:
                self.heard_at = min(state.source.heard_at, self._now())  # by the watcher's clock, for once
            self._replica.reset(state, iso_utc(self._now()))
            if self._replica.frame is not self._published:  # also when the link was lost before all had the last one
                await self._fan_out()
            self._connected(True)
            self._health.fulfil(self._condition)
            joined()
            tasks.create_task(self._verify_for_ever())
            await self._apply_for_ever(messages)

    async def _apply_for_ever(self, messages: AsyncIterator[Message]) -> None:
        async for message in messages:
            now = self._now()
            applied = self._replica.apply(message, iso_utc(now))
            if applied is Applied.LOST_TRACK:
                raise _LostTrackError
            if isinstance(message, Source | Snapshot):  # both come from a watcher
                self.heard_at = now
            if applied is Applied.UPDATE:
                await self._fan_out()
                if isinstance(message, Snapshot):
                    self._metrics.relay_latency.observe(max(0.0, (now - message.published_at).total_seconds()))

    async def _verify_for_ever(self) -> None:
        while True:
            await asyncio.sleep(VERIFY_S)
            stored = await self._broker.position(self._channel)
            if stored is None or self._holds(stored):
                continue
            await asyncio.sleep(GRACE_S)
            if not self._holds(stored):
                raise BrokerUnavailable("link", f"nothing arrived of what was published up to {stored.offset}")

    def _holds(self, stored: Position) -> bool:
        snapshot = self._replica.snapshot
        return snapshot is not None and snapshot.position.classify(stored) is Continuity.DUPLICATE

    async def _fan_out(self) -> None:
        self._metrics.updates.inc()
        self._metrics.missed.inc(self._replica.missed)
        self._replica.missed = 0
        frame = self._replica.frame
        assert frame is not None  # there has been an update
        if frame.body is not None and frame.body.is_large:
            await self._compressor.deflated(frame.body)
        self._hub.publish(frame)
        self._published = frame

    def _connected(self, connected: bool) -> None:
        self.is_connected = connected
        self._metrics.broker_connected.labels(self._channel).set(connected)
