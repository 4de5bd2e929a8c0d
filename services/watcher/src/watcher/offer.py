"""A report that a lookout has for its publisher."""

import dataclasses
import datetime

from reportcast.contracts.messages import Finding
from reportcast.contracts.report import Changes, Report

from watcher.stamps import Seen


@dataclasses.dataclass(frozen=True, slots=True)
class Offer:
    """
    A report to be held.

    Attributes:
        report: The newest good one.
        modified: The file's time.
        findings: What is odd about it.
        was_watched: Whether the change was seen to happen, so that the time since then is our latency.
        changes: From the last report; ``None`` if that is not known.
        seen: When it came by before; ``None`` if that is not known.
    """

    report: Report
    modified: datetime.datetime
    findings: tuple[Finding, ...] = ()
    was_watched: bool = False
    changes: Changes | None = None
    seen: Seen | None = None
