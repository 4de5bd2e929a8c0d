"""
Those who follow a part of a report: the repositories that a filter lets through, and the rest as it is.

Source: docs/protocol.md, Filters.
"""

import asyncio
import dataclasses
import functools
import hashlib
from collections import deque
from collections.abc import Callable

from reportcast.contracts.body import PreparedBody
from reportcast.contracts.delta import diff
from reportcast.contracts.position import Position
from reportcast.contracts.report import ReportKind
from reportcast.contracts.v1_frames import delta_frame, snapshot_frame
from reportcast.contracts.view import Filter, view

from gateway.audience import MAX_LOG_BYTES, ReportAudience
from gateway.compressor import Compressor
from gateway.hub import Hub
from gateway.replica import Update

# What is kept for who comes back, of a part that only some follow.
MAX_FILTER_LOG_BYTES = MAX_LOG_BYTES // 8
# A filter that is slower than changes come goes on with the newest.
MAX_UPDATES = 8


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
