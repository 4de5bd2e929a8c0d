"""When a change came by, on its way through the watcher. Pure: readings and times come in."""

import datetime
from typing import NamedTuple

from reportcast.contracts.clock import moment_of, utc_us
from reportcast.contracts.trace import Skew, Trace

from watcher.reader import Fingerprint, Reading


class Seen(NamedTuple):
    """
    When a report came by before it was handed on; aware.

    Attributes:
        detected: When the look began that first found the file so.
        settled: When it was decided to publish it.
    """

    detected: datetime.datetime
    settled: datetime.datetime

    def trace(self, modified: datetime.datetime, published: datetime.datetime, skew: Skew | None) -> Trace:
        """Give the stations of a change; all times are aware."""
        return Trace(utc_us(modified), utc_us(self.detected), utc_us(self.settled), utc_us(published), skew)


class Stamps:
    """Remembers of one file when what it holds now was found."""

    def __init__(self) -> None:
        self._fingerprint: Fingerprint | None = None
        self._content: object = None
        self._detected: datetime.datetime | None = None

    def read(self, reading: Reading, began: datetime.datetime, ended: datetime.datetime) -> None:
        """
        Take a reading.

        Args:
            reading: What was read.
            began: When the look began.
            ended: When the reading was there.
        """
        # A file system's clock is too coarse to tell two quick writes apart: the content counts, too.
        is_known = reading.content is self._content and reading.fingerprint == self._fingerprint
        self._fingerprint, self._content = reading.fingerprint, reading.content
        if not is_known:
            # What was written while it was being looked at was found at once.
            self._detected = max(began, min(moment_of(reading.modified_ns), ended))

    def settled(self, now: datetime.datetime) -> Seen:
        """Give what is known of the last reading, which is to be published."""
        assert self._detected is not None  # it was read
        return Seen(self._detected, now)
