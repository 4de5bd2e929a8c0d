"""The in-process broker: one process, no Redis. The standalone server and many tests run on it."""

import asyncio
import contextlib
import dataclasses
import datetime
import itertools
import secrets
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Generic, TypeVar

from msgspec.structs import replace

from reportcast.broker.base import (
    LEASE_S,
    ChannelState,
    DeltaLimits,
    HistoryLimits,
    Lease,
    Refresh,
    RejectionLimits,
    Stored,
)
from reportcast.broker.errors import BrokerError, BrokerFenced, BrokerUnavailable
from reportcast.contracts.messages import (
    Delta,
    Message,
    Publication,
    Refreshed,
    Rejection,
    Snapshot,
    Source,
    number,
    number_delta,
)
from reportcast.contracts.position import Position

T = TypeVar("T")

# A subscriber this far behind is not reading. Redis ends such a link too (client-output-buffer-limit pubsub).
MAX_BACKLOG = 1000


class _Topics(Generic[T]):
    """Sends each item to everyone who is subscribed to its topic at that moment."""

    def __init__(self) -> None:
        self._queues: dict[asyncio.Queue[T], frozenset[str]] = {}

    def publish(self, topic: str, item: T) -> int:
        heard = [queue for queue, topics in self._queues.items() if topic in topics]
        for queue in heard:
            try:
                queue.put_nowait(item)
            except asyncio.QueueFull:
                del self._queues[queue]
        return len(heard)

    @contextlib.asynccontextmanager
    async def subscribe(self, topics: Sequence[str]) -> AsyncIterator[AsyncIterator[T]]:
        queue: asyncio.Queue[T] = asyncio.Queue(MAX_BACKLOG)
        self._queues[queue] = frozenset(topics)
        try:
            yield self._read(queue)
        finally:
            self._queues.pop(queue, None)

    async def _read(self, queue: asyncio.Queue[T]) -> AsyncIterator[T]:
        while queue in self._queues or not queue.empty():
            yield await queue.get()
        raise BrokerUnavailable("memory", f"the subscriber fell {MAX_BACKLOG} messages behind")


class _Channel:
    """One channel's state; what the Redis broker keeps in its keys."""

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(8)
        self.offset = 0
        self.state = ChannelState()
        self.deltas: deque[Delta] = deque()
        self.history: OrderedDict[str, Snapshot] = OrderedDict()
        self.last_request_s: float | None = None
        self.holder, self.held_until_s, self.fence = "", 0.0, 0
        self.rejected: deque[tuple[Rejection, bytes]] = deque()

    @property
    def position(self) -> Position | None:
        return Position(self.epoch, self.offset) if self.offset else None

    def check(self, fence: int | None, what: str) -> None:
        if fence is not None and fence != self.fence:
            raise BrokerFenced("memory", what)

    def append(self, publication: Publication, limits: HistoryLimits) -> Snapshot:
        offset = self.offset = self.offset + 1
        name = f"{publication.stem}.json"
        if name in self.history:
            name = f"{publication.stem}+{offset}.json"
        snapshot = number(publication, Position(self.epoch, offset), name)
        self.history[name] = snapshot
        while len(self.history) > 1 and self._exceeds(limits):
            self.history.popitem(last=False)
        return snapshot

    def follow(self, snapshot: Snapshot, publication: Publication, limits: DeltaLimits) -> Message:
        """Make ``snapshot`` the newest; give what subscribers are told."""
        newest = self.state.snapshot
        message: Message = snapshot
        if newest and publication.delta and newest.digest == publication.base:
            message = number_delta(publication, snapshot)
            self.deltas.append(message)
            oldest = snapshot.published_at - datetime.timedelta(seconds=limits.max_age_s)
            while (
                len(self.deltas) > limits.max_deltas
                or sum(len(delta.body) for delta in self.deltas) > limits.max_bytes
                or (self.deltas and self.deltas[0].published_at < oldest)
            ):
                self.deltas.popleft()
        else:
            self.deltas.clear()
        self.state = ChannelState(snapshot, self.state.source, tuple(self.deltas))
        return message

    def _exceeds(self, limits: HistoryLimits) -> bool:
        kept_bytes = sum(len(snapshot.body) for snapshot in self.history.values())
        return len(self.history) > limits.max_reports or kept_bytes > limits.max_bytes


class MemoryBroker:
    """
    A ``Broker`` for one process.

    Args:
        clock: Monotonic seconds.
        limits: Of each channel's history.
        rejection_limits: Of each channel's refused contents.
        delta_limits: Of each channel's changes.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        limits: HistoryLimits | None = None,
        rejection_limits: RejectionLimits | None = None,
        delta_limits: DeltaLimits | None = None,
    ) -> None:
        self._clock = clock
        self._limits = limits or HistoryLimits()
        self._rejection_limits = rejection_limits or RejectionLimits()
        self._delta_limits = delta_limits or DeltaLimits()
        self._rejections = itertools.count(1)
        self._channels: dict[str, _Channel] = {}
        self._messages: _Topics[Message] = _Topics()
        self._requests: _Topics[str] = _Topics()

    def _channel(self, name: str) -> _Channel:
        return self._channels.setdefault(name, _Channel())

    async def lease(self, channels: Sequence[str], holder: str) -> list[Lease | BrokerError]:
        return [self._lease(self._channel(channel), holder) for channel in channels]

    def _lease(self, stream: _Channel, holder: str) -> Lease:
        now_s = self._clock()
        lapsed = now_s >= stream.held_until_s
        if not lapsed and stream.holder != holder:
            return Lease(None, stream.holder, stream.position, stream.state.snapshot is not None)
        stream.fence += lapsed
        stream.holder, stream.held_until_s = holder, now_s + LEASE_S
        return Lease(stream.fence, holder, stream.position, stream.state.snapshot is not None)

    async def release(self, channels: Sequence[str], holder: str) -> None:
        for stream in map(self._channel, channels):
            if stream.holder == holder:
                stream.held_until_s = 0

    async def publish(self, channel: str, publication: Publication, fence: int | None = None) -> Stored:
        stream = self._channel(channel)
        stream.check(fence, "report")
        newest = stream.state.snapshot
        if newest and newest.digest == publication.digest:
            return Stored(newest.position, changed=False, name=newest.name)
        snapshot = stream.append(publication, self._limits)
        self._messages.publish(channel, stream.follow(snapshot, publication, self._delta_limits))
        return Stored(snapshot.position, changed=True, name=snapshot.name)

    async def restore(self, channel: str, publication: Publication, fence: int) -> bool:
        stream = self._channel(channel)
        stream.check(fence, "report")
        if stream.state.snapshot or f"{publication.stem}.json" in stream.history:
            return False
        stream.append(publication, self._limits)
        return True

    async def state(self, channel: str) -> ChannelState:
        return self._channel(channel).state

    async def position(self, channel: str) -> Position | None:
        return self._channel(channel).position

    async def set_source(self, channel: str, source: Source, fence: int | None = None) -> None:
        stream = self._channel(channel)
        stream.check(fence, "source")
        stream.state = dataclasses.replace(stream.state, source=source)
        self._messages.publish(channel, source)

    async def set_sources(self, sources: Mapping[str, tuple[Source, int]]) -> None:
        for channel, (source, fence) in sources.items():
            with contextlib.suppress(BrokerFenced):
                await self.set_source(channel, source, fence)

    async def reject(self, channel: str, rejection: Rejection, content: bytes) -> None:
        kept, limits = self._channel(channel).rejected, self._rejection_limits
        kept.append((replace(rejection, id=f"{next(self._rejections)}-0"), content[: limits.max_bytes]))
        while len(kept) > limits.max_rejections:
            kept.popleft()

    async def rejections(self, channel: str) -> list[Rejection]:
        return [rejection for rejection, _ in reversed(self._channel(channel).rejected)]

    async def rejected_content(self, channel: str, rejection_id: str) -> bytes | None:
        kept = self._channel(channel).rejected
        return next((content for rejection, content in kept if rejection.id == rejection_id), None)

    async def announce_refreshed(self, channel: str) -> None:
        self._messages.publish(channel, Refreshed())

    def subscribe(self, channel: str) -> contextlib.AbstractAsyncContextManager[AsyncIterator[Message]]:
        return self._messages.subscribe([channel])

    async def request_refresh(self, channel: str) -> Refresh:
        stream = self._channel(channel)
        now = self._clock()
        if stream.last_request_s is not None and now - stream.last_request_s < 1:
            return Refresh.TOO_SOON
        stream.last_request_s = now
        return Refresh.REQUESTED if self._requests.publish(channel, channel) else Refresh.NO_WATCHER

    def refresh_requests(self, channels: Sequence[str]) -> contextlib.AbstractAsyncContextManager[AsyncIterator[str]]:
        return self._requests.subscribe(channels)

    async def history(self, channel: str) -> list[str]:
        return list(reversed(self._channel(channel).history))

    async def offsets(self, channel: str) -> dict[str, int]:
        return {name: snapshot.offset for name, snapshot in reversed(self._channel(channel).history.items())}

    async def past_report(self, channel: str, name: str) -> Snapshot | None:
        return self._channel(channel).history.get(name)

    async def time(self) -> datetime.datetime | None:
        return None

    async def close(self) -> None:
        """Nothing is held."""
