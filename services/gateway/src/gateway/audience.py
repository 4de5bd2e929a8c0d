"""
Those who get the same frames of a channel: what is made for them, each once, and the hub that gives it to them.

Source: docs/protocol.md, Version 1.
"""

import asyncio
import contextlib
import dataclasses
import functools
import hashlib
import math
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import structlog
from reportcast.contracts.body import PreparedBody
from reportcast.contracts.delta import diff
from reportcast.contracts.frames import PreparedFrame, audit_update
from reportcast.contracts.messages import Delta, Snapshot
from reportcast.contracts.position import Position
from reportcast.contracts.report import ReportKind
from reportcast.contracts.v1_frames import delta_frame, skipped_frame, snapshot_frame, status_frame, tag_of
from reportcast.contracts.view import Filter, view

from gateway.burst import Burst
from gateway.compressor import Compressor
from gateway.hub import Hub
from gateway.replica import Update
from gateway.together import Together

log = structlog.get_logger("audience")

# Who was away is given all that it missed, one by one, as long as that is no more than the whole report, or than this.
MIN_RECOVERY_BYTES = 64 * 1024
# And never more than this: it is put together for each position that somebody comes back from.
MAX_RECOVERY_BYTES = 1024 * 1024
# So many of those are kept until the next update.
MAX_RECOVERIES = 8
# A gateway may be so many changes behind what a client had from another one, for a moment.
MAX_AHEAD = 100
# What is kept for that; the broker keeps as much (DeltaLimits).
MAX_LOG_BYTES = 4 * 1024 * 1024
# And of a part that only some follow.
MAX_FILTER_LOG_BYTES = MAX_LOG_BYTES // 8
MAX_LOG_FRAMES = 1000
# A filter that nobody uses any more is kept for so long, for who comes back.
IDLE_FILTER_S = 60.0
# Each costs a comparison of two reports at every change, and memory for its part of them.
MAX_FILTERS = 64
MAX_IDLE_FILTERS = 8
MAX_FILTER_BYTES = 128 * 1024 * 1024
# A filter that is slower than changes come goes on with the newest.
MAX_UPDATES = 8


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
        self._tag: str | None = None

    @property
    def tag(self) -> str | None:
        """The name of what was told last; ``None`` before anything was."""
        return self._tag

    def publish(self, fares: dict[str, Any], timestamp: str) -> None:
        """Tell it, if it is not what was told last."""
        if fares != self._told:
            self._told, self._tag = fares, tag_of(fares)
            self.hub.publish(status_frame(self._channel, fares | {"tag": self._tag}, timestamp))


class ReportAudience:
    """
    Those who follow a report by its changes.

    Attributes:
        hub: Who they are.
        position: Of the newest that they are given; ``None`` before the first report.
    """

    def __init__(self, channel: str, hub: Hub, max_log_bytes: int = MAX_LOG_BYTES) -> None:
        self.hub = hub
        self._max_log_bytes = max_log_bytes
        self.position: Position | None = None
        self._channel = channel
        # The hub's number of the epoch's first update.
        self._began = 0
        # The last changes, up to the newest.
        self._log: deque[PreparedFrame] = deque()
        self._log_bytes = 0
        # What those were given who came back since the last update, by how many they missed; `None`: too much.
        self._missed: OrderedDict[int, Burst | None] = OrderedDict()
        # What those are told who skip to the newest, by where they were.
        self._skipped: dict[int, PreparedFrame] = {}

    def publish(self, update: Update) -> None:
        """Give what is new."""
        snapshot = update.snapshot
        whole = snapshot_frame(self._channel, snapshot, update.body, snapshot.digest, update.hops_ms)
        changes = [
            self._change(delta, body, update.hops_ms if delta.offset == snapshot.offset else None)
            for delta, body in zip(update.deltas, update.changes, strict=True)
        ]
        self._take(snapshot, whole, changes[len(changes) - update.steps :], changes)

    def when_given(self, tell: Callable[[int], object]) -> None:
        """Have ``tell`` called when all that was published has been given; see ``Hub.when_given``."""
        self.hub.when_given(tell)

    def missed_since(self, position: Position) -> tuple[Burst | None, str | None]:
        """
        Give all that a client has missed that stands at ``position``, which may be nothing.

        Returns:
            ``None`` if it has to be given the whole, and why.
        """
        newest = self.position
        if newest is None:
            return None, "nothing is known here yet"
        if position.epoch != newest.epoch:
            return None, "this position is of another epoch"
        if position.offset > newest.offset + MAX_AHEAD:
            return None, "this position is ahead of all that is known here"
        # One who has a little more than is known here will find what comes next to be a duplicate, up to there.
        count = max(0, newest.offset - position.offset)
        if count > len(self._log):
            return None, f"the changes since offset {position.offset} are not kept any more, or came whole"
        if count not in self._missed:
            self._missed[count] = self._last(count)
            if len(self._missed) > MAX_RECOVERIES:
                self._missed.popitem(last=False)
        burst = self._missed[count]
        return burst, None if burst else "the changes since then are more than the whole report"

    def skipped(self, sequence: int) -> PreparedFrame:
        """Give what a slow client is told that had the update of this number, before it is given the newest."""
        frame = self._skipped.get(sequence)
        if frame is None:
            frame = self._skipped[sequence] = self._skipped_since(sequence)
        return frame

    def _skipped_since(self, sequence: int) -> PreparedFrame:
        assert self.position is not None  # something was skipped
        merged = self.hub.sequence - sequence
        had = self.position.offset - merged if sequence >= self._began else None
        return skipped_frame(self._channel, had, self.position.offset, merged)

    def _last(self, count: int) -> Burst | None:
        assert self.hub.newest is not None  # there is a position
        burst = Burst(tuple(self._log)[len(self._log) - count :], self.hub.sequence)
        most = max(MIN_RECOVERY_BYTES, min(self.hub.newest.size, MAX_RECOVERY_BYTES))
        return burst if burst.size <= most else None

    def _change(self, delta: Delta, body: PreparedBody, hops_ms: Mapping[str, float] | None) -> PreparedFrame:
        return delta_frame(self._channel, delta, body, delta.base, delta.digest, hops_ms)

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
        self._skipped.clear()
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
        while len(self._log) > MAX_LOG_FRAMES or self._log_bytes > self._max_log_bytes:
            self._log_bytes -= self._log.popleft().size


@dataclasses.dataclass(frozen=True, slots=True)
class _View:
    body: PreparedBody
    digest: str
    # What makes it of the one before, and that one's digest; `None` if there is none.
    delta: PreparedBody | None
    base: str


class FilteredAudience(ReportAudience):
    """
    Those who follow a part of a report: the repositories that a filter lets through, and the rest as it is.

    The part is made in a thread, so that whatever is asked for keeps nobody else waiting.

    Attributes:
        idle_since_s: Since when nobody follows; ``None`` while somebody does.
    """

    def __init__(
        self, channel: str, hub: Hub, which: Filter, compressor: Compressor, on_failure: Callable[[Exception], None]
    ) -> None:
        super().__init__(channel, hub, MAX_FILTER_LOG_BYTES)
        self.idle_since_s: float | None = None
        self._which = which
        self._compressor = compressor
        self._on_failure = on_failure
        self._view: _View | None = None
        self._updates: deque[Update] = deque()
        self._working: asyncio.Task[None] | None = None
        self._published = 0
        # Who is to be told when the update of a number, or a later one in its place, has been given.
        self._curious: list[tuple[int, Callable[[int], object]]] = []

    def publish(self, update: Update) -> None:
        """Give what is new of the part, as soon as it is made."""
        self._published += 1
        if len(self._updates) >= MAX_UPDATES:
            self._updates.clear()
        self._updates.append(update)
        if self._working is None:
            self._working = asyncio.get_running_loop().create_task(self._work())

    def close(self) -> None:
        """Stop what is being made."""
        if self._working:
            self._working.cancel()
        self._tell_given(self._published)

    def when_given(self, tell: Callable[[int], object]) -> None:
        """See ``ReportAudience``; who follows no part is not waited for."""
        self._curious.append((self._published, tell))
        if self._working is None or not len(self.hub):
            self._tell_given(self._published)

    def _tell_given(self, last: int) -> None:
        curious, self._curious = self._curious, []
        for number, tell in curious:
            if number <= last:
                self.hub.when_given(tell)
            else:
                self._curious.append((number, tell))

    async def _work(self) -> None:
        try:
            while self._updates:
                update = self._updates.popleft()
                self._give(update, await self._compressor.run_aside(functools.partial(self._make, update)))
        except Exception as exc:  # whatever it is, it is no matter of those who follow something else
            self._on_failure(exc)
        finally:
            self._working = None

    def _make(self, update: Update) -> _View:
        raw, before = view(update.body.raw, self._which), self._view
        body, digest = PreparedBody(raw), hashlib.sha256(raw).hexdigest()
        found = None if before is None else diff(before.body.raw, raw, ReportKind.AUDIT)
        delta = None if found is None else PreparedBody(found)
        for each in (body, delta):
            if each is not None and each.is_large:
                _ = each.deflated  # here, and not for the first client that wants it
        return _View(body, digest, delta, "" if before is None else before.digest)

    def _give(self, update: Update, made: _View) -> None:
        snapshot, before, self._view = update.snapshot, self.position, made
        whole = snapshot_frame(self._channel, snapshot, made.body, made.digest, update.hops_ms)
        steps = []
        is_next = before is not None and before == Position(snapshot.epoch, snapshot.offset - 1)
        if is_next and made.delta is not None:
            steps = [delta_frame(self._channel, snapshot, made.delta, made.base, made.digest, update.hops_ms)]
        self._take(snapshot, whole, steps, steps)
        self._tell_given(self._published - len(self._updates))


class FilterRefused(Exception):
    """A part that cannot be followed at present; ``str()`` says why."""


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
        # When which failed, in seconds.
        self._failed: dict[Filter, float] = {}
        self._newest: Update | None = None

    def __len__(self) -> int:
        reports: list[PlainAudience | ReportAudience] = [self.plain, self.whole, *self._filtered.values()]
        return sum(len(each.hub) for each in reports)

    def publish(self, update: Update, timestamp: str) -> None:
        """Give ``update`` to all."""
        self._newest = update
        self.plain.publish(update, timestamp)
        self.whole.publish(update)
        with contextlib.suppress(FilterRefused):
            self._make_room(len(self._filtered))
        for audience in list(self._filtered.values()):
            audience.publish(update)

    def when_given(self, tell: Callable[[int], object]) -> None:
        """Have ``tell`` called, with how many clients were written to, when all was given that was published."""
        asked: list[Callable[[Callable[[int], object]], None]] = [self.plain.hub.when_given, self.whole.when_given]
        asked += [audience.when_given for audience in self._filtered.values()]
        together = Together(len(asked), tell)
        for ask in asked:
            ask(together)

    def of(self, which: Filter | None) -> ReportAudience:
        """
        Give those who follow what ``which`` lets through.

        Raises:
            FilterRefused: If there are too many others, or it failed just now.
        """
        if which is None:
            return self.whole
        audience = self._filtered.get(which)
        if audience is None:
            if self._clock() - self._failed.get(which, -math.inf) < IDLE_FILTER_S:
                raise FilterRefused("this part of the report cannot be made; the whole report is sent")
            self._make_room(len(self._filtered) + 1)
            audience = self._filtered[which] = FilteredAudience(
                self._channel, self._make_hub(), which, self._compressor, functools.partial(self._fail, which)
            )
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
                self._drop(which)
        for which in self._idle[MAX_IDLE_FILTERS:]:
            self._drop(which)

    def close(self) -> None:
        """Stop what is being made for filters."""
        for audience in self._filtered.values():
            audience.close()

    @property
    def _idle(self) -> list[Filter]:
        """Those that nobody uses, the last one that was used first."""
        idle = [
            (audience.idle_since_s or math.inf, which)
            for which, audience in self._filtered.items()
            if not len(audience.hub)
        ]
        return [which for _, which in sorted(idle, key=itemgetter(0), reverse=True)]

    def _make_room(self, wanted: int) -> None:
        """Let go of filters until there is room for so many, of a report of the present size."""
        size = len(self._newest.body.raw) if self._newest else 0
        most = max(1, min(MAX_FILTERS, MAX_FILTER_BYTES // max(1, 2 * size)))
        spare = self._idle
        while spare and wanted > most:
            self._drop(spare.pop())
            wanted -= 1
        if wanted > most and wanted > len(self._filtered):
            raise FilterRefused("too many different filters are in use here; the whole report is sent")
        for which in list(self._filtered)[most:]:  # the report has grown; who comes back is told
            log.warning("filter ended", channel=self._channel, allowed=most, report_bytes=size)
            self._end(which)

    def _drop(self, which: Filter) -> None:
        self._filtered.pop(which).close()

    def _fail(self, which: Filter, error: Exception) -> None:
        log.error("filter failed", channel=self._channel, error=repr(error))
        if len(self._failed) >= MAX_FILTERS:
            self._failed.clear()
        self._failed[which] = self._clock()
        self._end(which)

    def _end(self, which: Filter) -> None:
        followers = self._filtered[which].hub.followers
        self._drop(which)
        for follower in followers:
            follower.abort()
