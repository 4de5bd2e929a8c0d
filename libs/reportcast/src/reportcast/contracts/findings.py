"""
What is odd about a report that is valid all the same, and what its time says beside the last one's.

Source: docs/protocol.md, Findings.
"""

import dataclasses
import datetime
import enum

from reportcast.contracts.clock import iso_utc, moment_of, utc_ns
from reportcast.contracts.errors import Place
from reportcast.contracts.messages import Finding

# Clocks of producer and watcher differ, and a file system's clock ticks every few ms.
FUTURE_S = 300.0
BACKWARDS_S = 1.0
# A time without a zone may be local: the furthest zone is 14 h ahead of UTC.
ZONE_S = 14 * 3600.0


class FindingKind(enum.StrEnum):
    """Names of the findings, as REPORT_HOLD and the metrics have them."""

    DUPLICATE_KEY = "duplicate_key"
    DUPLICATE_REPO = "duplicate_repo"
    SUMMARY_MISMATCH = "summary_mismatch"
    TIME_UNREADABLE = "time_unreadable"
    TIME_BACKWARDS = "time_backwards"
    TIME_FUTURE = "time_future"


def finding(kind: FindingKind, message: str, place: Place | None = None) -> Finding:
    """Make a finding; its place is told apart from the sentence."""
    return Finding(kind.value, message, place.line if place else None, place.column if place else None)


@dataclasses.dataclass(frozen=True, slots=True)
class ReportTime:
    """
    When a report is from.

    Attributes:
        timestamp: The report's own, as written; ``None`` if it has none.
        modified_ns: The file's, since 1970.
    """

    timestamp: str | None
    modified_ns: int


def time_findings(time: ReportTime, last: ReportTime | None, now: datetime.datetime) -> list[Finding]:
    """
    Compare a report's time with the last one's and with the clock.

    Args:
        time: The report's.
        last: Of the last report; ``None`` if there was none.
        now: Aware.
    """
    found = [_future(time, now)]
    if time.timestamp is not None and parse_time(time.timestamp) is None:
        sentence = f"timestamp {_told(time)} is no ISO 8601 time"
        found.append(finding(FindingKind.TIME_UNREADABLE, sentence))
    if last is not None:
        found.append(_backwards(time, last, now))
    return [each for each in found if each is not None]


def parse_time(timestamp: str) -> datetime.datetime | None:
    """Read an ISO 8601 time, one without a zone as UTC; ``None`` if it is none."""
    try:
        moment = datetime.datetime.fromisoformat(timestamp)
        return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None


def _told(time: ReportTime) -> str:
    # A fraction of any length is ISO 8601.
    return repr((time.timestamp or "")[:64])


def _ahead(time: ReportTime, now: datetime.datetime) -> bool:
    moment = parse_time(time.timestamp or "")
    if moment is None:
        return False
    has_zone = datetime.datetime.fromisoformat(time.timestamp or "").tzinfo is not None
    return (moment - now).total_seconds() > FUTURE_S + (0 if has_zone else ZONE_S)


def _future(time: ReportTime, now: datetime.datetime) -> Finding | None:
    if not _ahead(time, now):
        return None
    # Not what time it is here: the same report is the same finding at each look.
    sentence = f"report time {_told(time)} is in the future by the watcher's clock"
    return finding(FindingKind.TIME_FUTURE, sentence)


def _backwards(time: ReportTime, last: ReportTime, now: datetime.datetime) -> Finding | None:
    """Compare with the last time, unless that lies in the future itself: every right one would be before it."""
    before, after = parse_time(last.timestamp or ""), parse_time(time.timestamp or "")
    is_file_ahead = last.modified_ns > utc_ns(now) + FUTURE_S * 1e9
    if before and after and after < before and not _ahead(last, now):
        sentence = f"report time went backwards: {_told(time)} after {_told(last)}"
    elif last.modified_ns - time.modified_ns > BACKWARDS_S * 1e9 and not is_file_ahead:
        earlier, later = (iso_utc(moment_of(each.modified_ns)) for each in (time, last))
        sentence = f"report time went backwards: a file of {earlier} after one of {later}"
    else:
        return None
    return finding(FindingKind.TIME_BACKWARDS, sentence)
