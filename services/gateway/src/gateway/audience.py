"""
Those who get the same frames of a channel: what is made for them, each once, and the hub that gives it to them.

Source: docs/protocol.md, Version 1.
"""

import asyncio
import dataclasses
import functools
import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from reportcast.contracts.body import PreparedBody
from reportcast.contracts.delta import diff
from reportcast.contracts.frames import PreparedFrame, audit_update
from reportcast.contracts.messages import Delta, Snapshot
from reportcast.contracts.position import Position
from reportcast.contracts.report import ReportKind
from reportcast.contracts.v1_frames import delta_frame, skipped_frame, snapshot_frame, status_frame
from reportcast.contracts.view import Filter, view

from gateway.burst import Burst
from gateway.compressor import Compressor
from gateway.hub import Hub
from gateway.replica import Update

# Who was away is given all that it missed, one by one, as long as that is no more than the whole report, or than this.
MIN_RECOVERY_BYTES = 64 * 1024
# What is kept for that; the broker keeps as much (DeltaLimits).
MAX_LOG_BYTES = 4 * 1024 * 1024
MAX_LOG_FRAMES = 1000
# A filter that nobody uses any more is kept for so long, for who comes back.
IDLE_FILTER_S = 60.0
# Each costs a comparison of two reports at every change.
MAX_FILTERS = 64


class PlainAudience:
    """Those without a subprotocol: the whole report, at every change."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def publish(self, update: Update, timestamp: str) -> None:
        """Give the report, if it is another one."""
        if update.is_new:
            self.repeat(update.body, timestamp)

    def repeat(self, body: PreparedBody, timestamp: str) -> None:
        """Give the report."""
        self.hub.publish(audit_update(body, timestamp))


class StatusAudience:
    """Those who are told how a channel fares."""

    def __init__(self, channel: str, hub: Hub) -> None:
        self.hub = hub
        self._channel = channel
        self._told: dict[str, Any] | None = None

    def publish(self, fares: dict[str, Any], timestamp: str) -> None:
        """Tell it, if it is not what was told last."""
        if fares != self._told:
            self._told = fares
            self.hub.publish(status_frame(self._channel, fares, timestamp))


class ReportAudience:
    """
    Those who follow a report by its changes.

    Attributes:
        hub: Who they are.
        position: Of the newest that they are given; ``None`` before the first report.
    """

    def __init__(self, channel: str, hub: Hub) -> None:
        self.hub = hub
        self.position: Position | None = None
        self._channel = channel
        # The hub's number of the epoch's first update.
        self._began = 0
        # The last changes, up to the newest.
        self._log: deque[PreparedFrame] = deque()
        self._log_bytes = 0
        # What those were given who came back since the last update, by how many they missed.
        self._missed: dict[int, Burst] = {}

    def publish(self, update: Update) -> None:
        """Give what is new."""
        snapshot = update.snapshot
        whole = snapshot_frame(self._channel, snapshot, update.body, snapshot.digest)
        changes = [self._change(delta) for delta in update.deltas]
        self._take(snapshot, whole, changes[len(changes) - update.steps :], changes)

    def missed_since(self, position: Position) -> tuple[Burst | None, str | None]:
        """
        Give all that a client has missed that stands at ``position``, which may be nothing.

        Returns:
            ``None`` if it has to be given the whole, and why.
        """
        newest = self.position
        if newest is None:
            return None, "there is no report yet"
        if position.epoch != newest.epoch:
            return None, "this position is of another epoch"
        # One who has more than is known here will find what comes next to be a duplicate, up to there.
        count = max(0, newest.offset - position.offset)
        if count > len(self._log):
            return None, f"the changes since offset {position.offset} are not kept any more, or came whole"
        burst = self._missed.get(count)
        if burst is None:
            burst = self._missed[count] = Burst(tuple(self._log)[len(self._log) - count :], self.hub.sequence)
        assert self.hub.newest is not None  # there is a position
        if burst.size > max(MIN_RECOVERY_BYTES, self.hub.newest.size):
            return None, "the changes since then are more than the whole report"
        return burst, None

    def skipped(self, sequence: int) -> PreparedFrame:
        """Give what a slow client is told that had the update of this number, before it is given the newest."""
        assert self.position is not None  # it has skipped something
        merged = self.hub.sequence - sequence
        had = self.position.offset - merged if sequence >= self._began else None
        return skipped_frame(self._channel, had, self.position.offset, merged)

    def _change(self, delta: Delta) -> PreparedFrame:
        return delta_frame(self._channel, delta, PreparedBody(delta.body), delta.base, delta.digest)

    def _take(
        self, snapshot: Snapshot, whole: PreparedFrame, steps: Sequence[PreparedFrame], log: Sequence[PreparedFrame]
    ) -> None:
        """
        Give an update.

        Args:
            snapshot: Whose it is.
            whole: For those who cannot go step by step.
            steps: From the state before; none if there are none, or not all.
            log: The last changes that are known, with the steps.
        """
        before, self.position = self.position, snapshot.position
        self._missed.clear()
        for step in steps:
            self.hub.publish(step, whole)
        if steps:
            self._log += steps
        else:
            self._log, self._log_bytes, steps = deque(log), 0, log
            goes_on = before is not None and before.epoch == snapshot.epoch
            advance = snapshot.offset - before.offset if before is not None and goes_on else 1
            self.hub.publish(whole, advance=advance)
            if not goes_on:
                self._began = self.hub.sequence
        self._log_bytes += sum(step.size for step in steps)
        while len(self._log) > MAX_LOG_FRAMES or self._log_bytes > MAX_LOG_BYTES:
            self._log_bytes -= self._log.popleft().size


@dataclasses.dataclass(frozen=True, slots=True)
class _View:
    body: PreparedBody
    digest: str
    # What makes it of the one before, and that one's digest.
    delta: bytes | None
    base: str


class FilteredAudience(ReportAudience):
    """Those who follow a part of a report: the repositories that a filter lets through, and the rest as it is."""

    def __init__(self, channel: str, hub: Hub, which: Filter, compressor: Compressor) -> None:
        super().__init__(channel, hub)
        self.idle_since_s: float | None = None
        self._which = which
        self._compressor = compressor
        self._view: _View | None = None
        self._wanted: Update | None = None
        self._working: asyncio.Task[None] | None = None

    def publish(self, update: Update) -> None:
        """Give what is new of the part; of a large report, a thread makes it."""
        if self._working or update.body.is_large:
            self._wanted = update
            self._working = self._working or asyncio.get_running_loop().create_task(self._work())
        else:
            self._give(update, self._make(update))

    def close(self) -> None:
        """Stop what is being made."""
        if self._working:
            self._working.cancel()

    async def _work(self) -> None:
        try:
            while self._wanted:
                update, self._wanted = self._wanted, None
                self._give(update, await self._compressor.run(functools.partial(self._make, update)))
        finally:
            self._working = None

    def _make(self, update: Update) -> _View:
        body = view(update.body.raw, self._which)
        digest = hashlib.sha256(body).hexdigest()
        before = self._view
        delta = None if before is None else diff(before.body.raw, body, ReportKind.AUDIT)
        return _View(PreparedBody(body), digest, delta, "" if before is None else before.digest)

    def _give(self, update: Update, made: _View) -> None:
        snapshot, before, self._view = update.snapshot, self.position, made
        whole = snapshot_frame(self._channel, snapshot, made.body, made.digest)
        steps = []
        is_next = before is not None and before == Position(snapshot.epoch, snapshot.offset - 1)
        if is_next and made.delta is not None:
            steps = [delta_frame(self._channel, snapshot, PreparedBody(made.delta), made.base, made.digest)]
        self._take(snapshot, whole, steps, steps)


class TooManyFilters(Exception):
    """No more filters can be followed at present."""


class Audiences:
    """
    All who follow one channel.

    Args:
        channel: Its name.
        make_hub: Makes a hub.
        compressor: For views of large reports.
        clock: The event loop's time, in seconds.
    """

    def __init__(
        self, channel: str, make_hub: Callable[[], Hub], compressor: Compressor, clock: Callable[[], float]
    ) -> None:
        self.plain = PlainAudience(make_hub())
        self.whole = ReportAudience(channel, make_hub())
        self.status = StatusAudience(channel, make_hub())
        self._channel = channel
        self._make_hub = make_hub
        self._compressor = compressor
        self._clock = clock
        self._filtered: dict[Filter, FilteredAudience] = {}
        self._newest: Update | None = None

    def __len__(self) -> int:
        reports: list[PlainAudience | ReportAudience] = [self.plain, self.whole, *self._filtered.values()]
        return sum(len(each.hub) for each in reports)

    def publish(self, update: Update, timestamp: str) -> None:
        """Give ``update`` to all."""
        self._newest = update
        self.plain.publish(update, timestamp)
        self.whole.publish(update)
        for audience in self._filtered.values():
            audience.publish(update)

    def of(self, which: Filter | None) -> ReportAudience:
        """
        Give those who follow what ``which`` lets through.

        Raises:
            TooManyFilters: If there are MAX_FILTERS others.
        """
        if which is None:
            return self.whole
        audience = self._filtered.get(which)
        if audience is None:
            if len(self._filtered) >= MAX_FILTERS:
                raise TooManyFilters
            audience = FilteredAudience(self._channel, self._make_hub(), which, self._compressor)
            self._filtered[which] = audience
            if self._newest:
                audience.publish(self._newest)
        return audience

    def drop_idle(self) -> None:
        """Forget the filters that nobody has used for a while."""
        now_s = self._clock()
        for which, audience in list(self._filtered.items()):
            if len(audience.hub):
                audience.idle_since_s = None
            elif audience.idle_since_s is None:
                audience.idle_since_s = now_s
            elif now_s - audience.idle_since_s >= IDLE_FILTER_S:
                audience.close()
                del self._filtered[which]
