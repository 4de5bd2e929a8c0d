"""
Whether the writer of a file has written all of it, as far as events tell. Pure: hints and times come in.

Source: docs/adr/0009-whole-is-not-enough.md
"""

import math

from watcher.inotify import Hint
from watcher.settle import QUIET_S

# What is written in so short a time is written by one writer in one go: a shell's redirection takes some µs.
STROKE_S = 0.005


class Writer:
    """
    What the events of one report say of who writes it.

    Attributes:
        last: What was last known of the writer; the reader of the file sets it back.

    Args:
        is_one_file: Whether all events are of one file, and not of all that match a pattern.
    """

    def __init__(self, is_one_file: bool) -> None:
        self.last = Hint.LOOK
        self._is_one_file = is_one_file
        self._began_s = self._wrote_s = -math.inf

    def note(self, hint: Hint, now_s: float) -> None:
        """Take note of an event."""
        if hint in (Hint.WRITING, Hint.CLOSED):
            if now_s - self._wrote_s > QUIET_S:
                self._began_s = now_s
            self._wrote_s = now_s
        if hint is not Hint.LOOK:
            self.last = hint

    def rest(self) -> None:
        """Note that all was written, and that what comes is written anew."""
        self._began_s = self._wrote_s = -math.inf

    def has_finished(self, before: Hint, is_other_file: bool) -> bool:
        """
        Tell whether all of what was read is known to be written.

        Args:
            before: ``last`` before the reading. What came during it may be of what was read, so both have to say so.
            is_other_file: Whether the file cannot be the last good one, being written over.
        """
        ends = {before, self.last}
        if not self._is_one_file or not ends <= {Hint.PLACED, Hint.CLOSED}:
            return False
        # A close may be that of another who has the file open, while the writer writes over the old report.
        return ends == {Hint.PLACED} or is_other_file or self._wrote_s - self._began_s <= STROKE_S
