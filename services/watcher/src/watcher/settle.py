"""
What one reading of the file means: publish, wait, or reject. Pure: readings and times come in, decisions go out.

A truncated JSON object is never valid JSON, so a report that parses and validates is whole and is published at once.
Only content that may be an unfinished write needs waiting, until it has not changed for ``settle_s``.
"""

import dataclasses
import enum
from collections.abc import Hashable

from reportcast.contracts.errors import ReportError
from reportcast.contracts.report import Report

# A writer that never finishes is told of after so many times settle_s, however busy it is.
PATIENCE = 5


class Decision(enum.Enum):
    """What to do after a reading."""

    PUBLISH = "publish"
    UNCHANGED = "unchanged"
    WAIT = "wait"
    REJECT = "reject"
    STILL_REJECTED = "still rejected"


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
    """

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._published: str | None = None
        self._suspect: _Suspect | None = None
        self._rejected: Hashable = None

    @property
    def has_published(self) -> bool:
        """Whether there has ever been a good report."""
        return self._published is not None

    def decide(self, content: Report | ReportError, fingerprint: Hashable, now_s: float) -> Decision:
        """
        Decide what a reading means.

        Args:
            content: What was read.
            fingerprint: Changes whenever the file was touched.
            now_s: Monotonic.
        """
        if isinstance(content, Report):
            return self._accept(content)
        key = (fingerprint, str(content))
        if key == self._rejected:
            return Decision.STILL_REJECTED
        if content.may_be_torn and not self._is_settled(key, now_s):
            return Decision.WAIT
        self._suspect = None
        self._rejected = key
        return Decision.REJECT

    def _accept(self, report: Report) -> Decision:
        self._suspect = self._rejected = None
        if report.digest == self._published:
            return Decision.UNCHANGED
        self._published = report.digest
        return Decision.PUBLISH

    def _is_settled(self, key: Hashable, now_s: float) -> bool:
        known = self._suspect
        if known is None or known.content != key:
            known = self._suspect = _Suspect(key, now_s, known.began_s if known else now_s)
        return now_s - known.since_s >= self._settle_s or now_s - known.began_s >= PATIENCE * self._settle_s
