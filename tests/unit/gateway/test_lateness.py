import datetime

import pytest
from gateway.lateness import duration, late_by_s, overdue_reason
from reportcast.contracts.messages import Source, SourceState

from tests.support.reports import MOMENT

SINCE = "2026-11-23T12:00:00.000Z"
OVERDUE = Source(SourceState.OVERDUE, SINCE, expected_every_s=300, due_at=MOMENT, late_by_s=2)


def later(seconds: float) -> datetime.datetime:
    """Give a time so long after the report was due."""
    return MOMENT + datetime.timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(None, None, id="nobody-told"),
        pytest.param(Source(SourceState.LIVE, SINCE, due_at=MOMENT), None, id="not-said-to-be-late"),
        pytest.param(Source(SourceState.REJECTED, SINCE, "bad", due_at=MOMENT), None, id="rejected"),
        pytest.param(OVERDUE, 47, id="overdue"),
        pytest.param(Source(SourceState.OVERDUE, SINCE, late_by_s=2), 2, id="due-time-not-told"),
        pytest.param(Source(SourceState.OVERDUE, SINCE), None, id="nothing-told"),
    ],
)
def test_late_by(source: Source | None, expected: float | None) -> None:
    """Counted from when the report was due, only while a watcher says that it is overdue."""
    assert late_by_s(source, later(47)) == expected


def test_a_gateway_whose_clock_is_behind() -> None:
    """Is not told that the report comes before its time."""
    assert late_by_s(OVERDUE, later(-3)) == 0


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (0.5, "0.5 s"),
        (9.96, "10 s"),
        (47.4, "47 s"),
        (59.6, "1 min"),
        (90, "1 min 30 s"),
        (300, "5 min"),
        (4800, "1 h 20 min"),
        (3605, "1 h"),
        (86_400, "1 d"),
        (273_000, "3 d 3 h"),
    ],
)
def test_duration(seconds: float, expected: str) -> None:
    """In the units that people use, two of them at most."""
    assert duration(seconds) == expected


def test_the_sentence() -> None:
    """Says what is known, and no more."""
    assert overdue_reason(OVERDUE, 47) == "the report is overdue: expected every 5 min, late by 47 s"
    assert overdue_reason(Source(SourceState.OVERDUE, SINCE), None) == "the report is overdue"
