"""How one report's file fares, as clients are told: waiting, live, overdue or rejected. Pure: times come in."""

import datetime

import structlog
from msgspec.structs import replace
from reportcast.contracts.clock import iso_utc
from reportcast.contracts.messages import Source, SourceState

from watcher.cadence import Cadence

OVERDUE = "no report came when it was due"


class Situation:
    """
    What is known of the file, and when its next report is due.

    Attributes:
        cadence: How often reports come.

    Args:
        every_s: See ``Cadence``.
        log: Bound with channel and path.
    """

    def __init__(self, every_s: float | None, log: structlog.stdlib.BoundLogger) -> None:
        self.cadence = Cadence(every_s)
        self._log = log
        self._source: Source | None = None

    @property
    def is_known(self) -> bool:
        """Whether it was ever decided what the file holds."""
        return self._source is not None

    @property
    def is_served(self) -> bool:
        """Whether what the file holds is what is served."""
        return self._source is not None and self._source.state in (SourceState.LIVE, SourceState.OVERDUE)

    def change(self, state: SourceState, now: datetime.datetime, reason: str | None = None) -> None:
        """Take note of a state, and why."""
        known = self._source
        if known and (known.state, known.reason) == (state, reason):
            return
        in_trouble = known is not None and known.state is not SourceState.LIVE
        if in_trouble and state is SourceState.LIVE:
            self._log.info("report good again")
        if state is SourceState.OVERDUE:
            self._log.warning("report overdue", expected_every_s=self.cadence.expected_every_s)
        # "Since" is when the trouble began, not when its reason last changed.
        goes_on = known is not None and in_trouble and state is not SourceState.LIVE
        self._source = Source(state, known.since if known and goes_on else iso_utc(now), reason)

    def accept(self, is_written: bool, written_s: float, now: datetime.datetime) -> None:
        """
        Take note of a good report.

        Args:
            is_written: Whether the producer has written it since the last time.
            written_s: When; monotonic.
            now: Aware.
        """
        if is_written:
            self.cadence.beat(written_s)
        # That the old report is still there is no reason not to be overdue.
        if is_written or self._source is None or self._source.state is not SourceState.OVERDUE:
            self.change(SourceState.LIVE, now)

    def tell(self, now_s: float, now: datetime.datetime) -> Source | None:
        """Give what clients are to be told; ``None`` if nothing is known yet."""
        if self._source is None:
            return None
        if self._source.state is SourceState.LIVE and self.cadence.is_overdue(now_s):
            self.change(SourceState.OVERDUE, now, OVERDUE)
        due_s = self.cadence.due_s
        late_by_s = now_s - due_s if self._source.state is SourceState.OVERDUE and due_s is not None else None
        due_at = None if due_s is None else now + datetime.timedelta(seconds=due_s - now_s)
        expected_every_s = self.cadence.expected_every_s
        return replace(self._source, expected_every_s=expected_every_s, due_at=due_at, late_by_s=late_by_s)
