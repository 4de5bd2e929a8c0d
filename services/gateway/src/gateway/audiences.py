"""All who follow one channel, by what they are given: the whole report, its changes, a part of it, how it fares."""

import contextlib
import functools
import math
from collections.abc import Callable
from operator import itemgetter

import structlog
from reportcast.contracts.view import Filter

from gateway.audience import PlainAudience, ReportAudience, StatusAudience
from gateway.compressor import Compressor
from gateway.filtered import FilteredAudience
from gateway.hub import Hub
from gateway.news import MAX_WHOLE
from gateway.replica import Update
from gateway.together import Together

log = structlog.get_logger("audience")

# A filter that nobody uses any more is kept for so long, for who comes back.
IDLE_FILTER_S = 60.0
# Each costs a comparison of two reports at every change, and memory for its part of them.
MAX_FILTERS = 64
MAX_IDLE_FILTERS = 8
# Whoever polls uses none between two polls.
POLLED_S = 5.0
MAX_FILTER_BYTES = 128 * 1024 * 1024
# Of its part, each keeps the newest, the frame of it, and the answers that hold it (gateway.news).
COPIES = 2 + MAX_WHOLE


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
        audience.idle_since_s = self._clock()  # until somebody has joined, or comes again
        return audience

    def has(self, which: Filter | None) -> bool:
        """Say whether somebody follows, or followed just now, what ``which`` lets through."""
        return which is None or which in self._filtered

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
            if now_s - (self._filtered[which].idle_since_s or now_s) >= POLLED_S:
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
        most = max(1, min(MAX_FILTERS, MAX_FILTER_BYTES // max(1, COPIES * size)))
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
