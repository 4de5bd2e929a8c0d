"""
Those who get the same frames of a channel: what is made for them, each once, and the hub that gives it to them.

Source: docs/protocol.md, Version 1.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reportcast.contracts.body import PreparedBody
from reportcast.contracts.frames import PreparedFrame, audit_update
from reportcast.contracts.messages import Delta, Snapshot
from reportcast.contracts.position import Position
from reportcast.contracts.v1_frames import delta_frame, skipped_frame, snapshot_frame, status_frame, tag_of

from gateway.burst import Burst
from gateway.hub import Hub
from gateway.news import Asked, News
from gateway.replica import Update

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
MAX_LOG_FRAMES = 1000


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
        self._news = News(channel)

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

    def news_since(self, status: StatusAudience, position: Position | None, told: str | None) -> PreparedBody | None:
        """
        Give what a client is answered that asks for what is new; ``None`` if nothing is.

        Args:
            status: Those who are told how the channel fares.
            position: Where the client stands; ``None``: nowhere.
            told: The tag of how it was told that the channel fares; ``None``: it does not want to know.
        """
        if not self.lacks(position) and told in (None, status.tag):
            return None
        return self._news.get(self._asked(status, position))

    def has_at_hand(self, status: StatusAudience, position: Position | None) -> bool:
        """Say whether a client at ``position`` can be answered with what was made for another."""
        return not self.lacks(position) or self._news.has(self._asked(status, position))

    def lacks(self, position: Position | None) -> bool:
        """Say whether there is anything of the report that a client at ``position`` has to be given."""
        missed = None if position is None else self.missed_since(position)[0]
        return self.position is not None if missed is None else bool(missed.frames)

    def _asked(self, status: StatusAudience, position: Position | None) -> Asked:
        missed, reason = (None, None) if position is None else self.missed_since(position)
        return Asked(self.position, self.hub.newest, status.hub.newest, missed, reason)

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
            return None, "the changes since then are not kept any more, or came whole"
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
