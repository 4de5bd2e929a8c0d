"""
The one broker subscription of a channel in a gateway process: joins, follows, notices a dead link, joins again.

Joining is: subscribe first, then read the stored state, then apply. So nothing falls between the two.

Source: docs/protocol.md, Joining.
"""

import asyncio
import dataclasses
import datetime
import functools
import math
from collections.abc import Callable

import structlog
from reportcast.broker.backoff import Outage
from reportcast.broker.base import Broker, ChannelState
from reportcast.broker.errors import BrokerError, BrokerRefused, BrokerUnavailable
from reportcast.contracts.body import INLINE_BYTES
from reportcast.contracts.clock import iso_utc, utc_us
from reportcast.contracts.messages import Changed, Delta, Message, Refreshed, Snapshot, Source
from reportcast.contracts.position import Continuity, Position
from reportcast.telemetry.health import Health

from gateway.audiences import Audiences
from gateway.compressor import Compressor
from gateway.metrics import GatewayMetrics
from gateway.passage import Passage
from gateway.replica import Diverged, Replica, Update
from gateway.traces import Traces

# The client library does not notice a half-open link, so the stored position is compared this often...
VERIFY_S = 5.0
# ... and a message gets so long to arrive after its position could be read.
GRACE_S = 1.0
# When a message led nowhere, the next such one is followed after so long: whoever may publish could keep us reading.
FRUITLESS_S = 1.0


class Relay:
    """
    Feeds one channel's replica and audiences from the broker.

    Attributes:
        is_connected: Whether the replica follows the broker now. False: what is served may be stale.
        heard_at: When a watcher last told how the report file fares; aware, ``None`` if never.

    Args:
        broker: Where from.
        channel: Which report.
        replica: To keep in step.
        audiences: To hand updates to.
        compressor: For large reports.
        metrics: To count in.
        health: Its condition ``channel <name>`` holds once the state was read; losing the broker later leaves the
            gateway ready, because it still serves the last state, marked stale.
        now: Aware UTC time.
        traces: To note in where each change's time went.
        log: Where to tell of it.
    """

    def __init__(
        self,
        broker: Broker,
        channel: str,
        replica: Replica,
        audiences: Audiences,
        compressor: Compressor,
        metrics: GatewayMetrics,
        health: Health,
        now: Callable[[], datetime.datetime],
        traces: Traces,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self.is_connected = False
        self.heard_at: datetime.datetime | None = None
        self._broker = broker
        self._channel = channel
        self._replica = replica
        self._audiences = audiences
        self._compressor = compressor
        self._metrics = metrics
        self._health = health
        self._now = now
        self._traces = traces
        self._on_news: Callable[[], None] = lambda: None
        self._fruitless_s = self._told_s = -math.inf
        # What changes the replica is done one at a time.
        self._turn = asyncio.Lock()
        self._is_owed = asyncio.Event()
        self._log = log.bind(channel=channel)
        self._condition = f"channel {channel}"
        health.fail(self._condition, "its state was not read yet")
        self._metrics.broker_connected.labels(channel).set(0)

    def on_news(self, tell: Callable[[], None]) -> None:
        """Have ``tell`` called when the source or the link fares otherwise than before."""
        self._on_news = tell

    async def run(self) -> None:
        """Follow the channel, for ever."""
        outage = Outage(self._log, asyncio.get_running_loop().time, self._metrics.broker_retries.inc)
        while True:
            try:
                await self._follow(outage.end)
            except* BrokerError as group:
                self._connected(False)
                await outage.wait(group.exceptions[0])

    async def _follow(self, joined: Callable[[], None]) -> None:
        async with asyncio.TaskGroup() as tasks, self._broker.subscribe(self._channel) as messages:
            state = await self._broker.state(self._channel)
            if state.source and state.source.heard_at:
                stored = min(state.source.heard_at, self._now())  # by the watcher's clock, for once
                self.heard_at = max(stored, self.heard_at or stored)
            self._replica.source = state.source
            async with self._turn:
                await self._catch_up(state)
            if state.snapshot and not self._holds(state.snapshot.position):
                raise BrokerRefused("store", "the report that it holds is not the one that it promises")
            self._connected(True)
            self._health.fulfil(self._condition)
            joined()
            tasks.create_task(self._verify_for_ever())
            tasks.create_task(self._read_later_for_ever())
            async for message in messages:
                arrived = self._now()
                async with self._turn:
                    await self._take(message, arrived)

    async def _take(self, message: Message, arrived: datetime.datetime) -> None:
        match message:
            case Source():
                self.heard_at = arrived
                self._replica.source = message
                self._on_news()
            case Refreshed():
                if self._replica.body:
                    self._metrics.updates.inc()
                    self._audiences.plain.repeat(self._replica.body, iso_utc(self._now()))
            case Snapshot() | Delta() | Changed():
                await self._advance(message, arrived)

    async def _advance(self, message: Snapshot | Delta | Changed, arrived: datetime.datetime) -> None:
        continuity = self._replica.classify(message)
        if continuity is Continuity.DUPLICATE:
            return
        update = None
        if isinstance(message, Delta) and continuity is Continuity.NEXT:
            update = await self._grown(message)
        elif isinstance(message, Snapshot) and continuity is Continuity.NEXT and await self._is_proved(message):
            update = self._replica.advanced(message)
        if update is not None:
            await self._fan_out(update, arrived)
        elif not await self._read_again():
            return
        self.heard_at = arrived
        if not isinstance(message, Changed):
            self._metrics.relay_latency.observe(max(0.0, (arrived - message.published_at).total_seconds()))

    async def _grown(self, delta: Delta) -> Update | None:
        assert self._replica.snapshot is not None  # the delta is next
        size = len(self._replica.snapshot.body)
        snapshot = await self._unless_diverged(functools.partial(self._replica.grow, delta), size)
        return self._replica.advanced(snapshot, delta) if snapshot else None

    async def _is_proved(self, snapshot: Snapshot) -> bool:
        prove = functools.partial(self._replica.prove, snapshot)
        return await self._unless_diverged(prove, len(snapshot.body)) is not None

    async def _unless_diverged(self, work: Callable[[], Snapshot], size: int) -> Snapshot | None:
        try:
            return await self._compressor.run(work) if size > INLINE_BYTES else work()
        except Diverged as exc:
            self._metrics.diverged.inc()
            now_s = asyncio.get_running_loop().time()
            if now_s - self._told_s >= FRUITLESS_S:
                self._told_s = now_s
                self._log.warning("state diverged", reason=str(exc), remedy="it is read again")
            return None

    async def _read_again(self) -> bool:
        """Read the stored state: which of two epochs is the present one, for example, is known to the broker alone."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._fruitless_s < FRUITLESS_S:
            self._is_owed.set()
            return False
        if await self._catch_up(await self._broker.state(self._channel)):
            return True
        self._fruitless_s = now_s
        return False

    async def _read_later_for_ever(self) -> None:
        while True:
            await self._is_owed.wait()
            await asyncio.sleep(FRUITLESS_S)
            self._is_owed.clear()
            async with self._turn:
                await self._catch_up(await self._broker.state(self._channel))

    async def _catch_up(self, state: ChannelState) -> bool:
        arrived = self._now()
        update = self._replica.caught_up(state)
        if update is None or not await self._is_proved(update.snapshot):
            return False
        await self._fan_out(update, arrived)
        return True

    async def _fan_out(self, update: Update, arrived: datetime.datetime) -> None:
        # What is there before this gateway is took no time of anybody's.
        passage = self._traces.begin(update.snapshot, arrived) if self._replica.snapshot else None
        if passage is not None:
            update = dataclasses.replace(update, hops_ms=passage.hops_ms)
        for body in (update.body, *update.changes):
            if body.is_large:
                await self._compressor.deflated(body)
        self._metrics.updates.inc()
        self._metrics.missed.inc(update.missed)
        self._replica.take(update)
        self._audiences.publish(update, iso_utc(self._now()))
        if passage is not None:
            passage.prepared_us = utc_us(self._now())
            self._audiences.when_given(functools.partial(self._end, passage))

    def _end(self, passage: Passage, clients: int) -> None:
        self._traces.end(passage, self._now(), clients)

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

    def _connected(self, connected: bool) -> None:
        self.is_connected = connected
        self._metrics.broker_connected.labels(self._channel).set(connected)
        self._on_news()
