"""What is told of a content that was refused."""

import datetime

from reportcast.contracts.errors import ReportError
from reportcast.contracts.messages import Rejection

from watcher.readable import readable_diff
from watcher.reader import Reading


def describe(error: ReportError, reading: Reading, last: bytes | None, now: datetime.datetime) -> Rejection:
    """
    Describe a refused content; takes a second for one of 4 MiB.

    Args:
        error: Why it is refused.
        reading: What was read.
        last: The last good report; ``None`` if there was none.
        now: Aware.
    """
    place = error.place
    return Rejection(
        rejected_at=now,
        file=ascii(reading.file)[1:-1],
        reason=error.reason,
        message=str(error),
        line=place.line if place else None,
        column=place.column if place else None,
        size=len(reading.raw),
        digest=reading.digest,
        diff=readable_diff(last, reading.raw),
    )
