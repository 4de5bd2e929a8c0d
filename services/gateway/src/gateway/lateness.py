"""How late a report is, and durations in words. Pure."""

import datetime

from reportcast.contracts.messages import Source, SourceState

# Largest first: seconds of the unit, how many of it make the next, its name. Nothing counts as much as 2**63 days.
UNITS = ((86_400, 2**63, "d"), (3_600, 24, "h"), (60, 60, "min"), (1, 60, "s"))


def late_by_s(source: Source | None, now: datetime.datetime) -> float | None:
    """
    Tell how late the report is.

    Args:
        source: As the watcher last told it.
        now: Aware; by the gateway's clock, so that lateness grows even while the watcher is silent.

    Returns:
        Seconds, never negative; ``None`` unless the report is overdue.
    """
    if source is None or source.state is not SourceState.OVERDUE:
        return None
    if source.due_at is None:
        return source.late_by_s
    return max(0.0, (now - source.due_at).total_seconds())


def duration(seconds: float) -> str:
    """Write a duration for people, in its two largest units: ``0.5 s``, ``47 s``, ``5 min``, ``1 h 20 min``."""
    if seconds < 10:
        return f"{round(seconds, 1):g} s"
    whole = round(seconds)
    counts = [(whole // size % limit, unit) for size, limit, unit in UNITS]
    first = next(index for index, (count, _) in enumerate(counts) if count)
    return " ".join(f"{count} {unit}" for count, unit in counts[first : first + 2] if count)


def overdue_reason(source: Source, late_s: float | None) -> str:
    """Say in one sentence that the report is overdue, with what is known of its cadence."""
    known = []
    if source.expected_every_s is not None:
        known.append(f"expected every {duration(source.expected_every_s)}")
    if late_s is not None:
        known.append(f"late by {duration(late_s)}")
    return "the report is overdue" + (f": {', '.join(known)}" if known else "")
