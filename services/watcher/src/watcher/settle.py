"""
When to look at a report's file, and what each reading means. Pure: times and readings come in, decisions go out.

A truncated JSON object is never valid JSON, so a report that parses and validates is whole and is published at once.
Only content that may be an unfinished write needs waiting, until it has not changed for ``settle_s``.

    SETTLED ──── may be torn ───► UNSURE ──── the same for settle_s ───► SETTLED (rejected)
       ▲                            │
       └───────── whole ────────────┘

While SETTLED, a hint makes a look, and the sweep reads whatever the hints say. While UNSURE, every look reads, hints or
not, because a writer's last event can be lost.
"""

import dataclasses
import enum
import math
from collections.abc import Hashable
from typing import NamedTuple

from reportcast.contracts.errors import ReportError
from reportcast.contracts.report import Report

# A writer that never finishes is told of after so many times settle_s, however busy it is.
PATIENCE = 5
# While unsure, look again so soon even without a hint.
RELOOK_S = 0.1
# While unsure, hints are let pass for so long, or twice what the reading took, so that a writer of many small pieces is
# not read once for each of them. It bounds what a slow writer's last piece waits.
BREATH_S = 0.01


class State(enum.Enum):
    """What is known of the file."""

    SETTLED = "settled"
    UNSURE = "unsure"


class Decision(enum.Enum):
    """What to do after a reading."""

    PUBLISH = "publish"
    UNCHANGED = "unchanged"
    WAIT = "wait"
    REJECT = "reject"
    STILL_REJECTED = "still rejected"


class Pause(NamedTuple):
    """
    How long to wait for the next look.

    Attributes:
        deaf_s: So long, whatever the hints say.
        alert_s: After that, so long at most, or until a hint.
    """

    deaf_s: float
    alert_s: float


@dataclasses.dataclass(slots=True)
class _Suspect:
    """Content that may be an unfinished write: which, since when it has not changed, and when the trouble began."""

    content: Hashable
    since_s: float
    began_s: float


class Settle:
    """
    Decides what each reading means, given those before it.

    Args:
        settle_s: Unfinished content that stays the same for so long is rejected, and after PATIENCE times as long
            even if it keeps changing.
        sweep_s: The file is read so often without a hint.
    """

    def __init__(self, settle_s: float, sweep_s: float) -> None:
        self.state = State.SETTLED
        self._settle_s = settle_s
        self._sweep_s = sweep_s
        self._published: str | None = None
        self._suspect: _Suspect | None = None
        self._rejected: Hashable = None
        self._read_s = -math.inf
        self._took_s = 0.0

    @property
    def published(self) -> str | None:
        """Digest of the last good report; ``None`` if there has never been one."""
        return self._published

    def must_read(self, now_s: float) -> bool:
        """Tell whether the file is to be read now, even if it looks untouched."""
        return self.state is State.UNSURE or now_s - self._read_s >= self._sweep_s

    def pause(self, now_s: float) -> Pause:
        """Tell how long to wait for the next look."""
        if self.state is State.UNSURE:
            return Pause(max(BREATH_S, 2 * self._took_s), RELOOK_S)
        return Pause(0.0, max(0.0, self._read_s + self._sweep_s - now_s))

    def decide(self, content: Report | ReportError, fingerprint: Hashable, began_s: float, now_s: float) -> Decision:
        """
        Decide what a reading means.

        Args:
            content: What was read.
            fingerprint: Changes whenever the file was touched.
            began_s: When reading began; monotonic.
            now_s: When it ended.
        """
        self._read_s, self._took_s = now_s, now_s - began_s
        decision = self._accept(content) if isinstance(content, Report) else self._doubt(content, fingerprint, now_s)
        self.state = State.UNSURE if decision is Decision.WAIT else State.SETTLED
        return decision

    def _accept(self, report: Report) -> Decision:
        self._suspect = self._rejected = None
        if report.digest == self._published:
            return Decision.UNCHANGED
        self._published = report.digest
        return Decision.PUBLISH

    def _doubt(self, error: ReportError, fingerprint: Hashable, now_s: float) -> Decision:
        key = (fingerprint, str(error))
        if key == self._rejected:
            return Decision.STILL_REJECTED
        if error.may_be_torn and not self._is_settled(key, now_s):
            return Decision.WAIT
        self._suspect = None
        self._rejected = key
        return Decision.REJECT

    def _is_settled(self, key: Hashable, now_s: float) -> bool:
        known = self._suspect
        if known is None or known.content != key:
            known = self._suspect = _Suspect(key, now_s, known.began_s if known else now_s)
        return now_s - known.since_s >= self._settle_s or now_s - known.began_s >= PATIENCE * self._settle_s
