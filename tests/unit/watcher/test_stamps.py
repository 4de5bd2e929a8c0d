"""When a change came by in the watcher."""

import datetime

import pytest
from reportcast.contracts.clock import utc_ns
from reportcast.contracts.errors import ReportSyntaxError
from reportcast.contracts.trace import Skew, Trace
from watcher.reader import Reading
from watcher.stamps import Stamps

from tests.support.reports import report

MOMENT = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC)
REPORT, OTHER = report(1), report(2)


def at(seconds: float) -> datetime.datetime:
    """Give a moment."""
    return MOMENT + datetime.timedelta(seconds=seconds)


def reading(modified_s: float, content: object = REPORT, size: int = 1) -> Reading:
    """Give what was read of a file that was written then."""
    return Reading(content, "r.json", b"", (1, 1, size, int(modified_s * 1e9), 0), utc_ns(at(modified_s)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("modified_s", "detected_s"),
    [
        pytest.param(-5, 0, id="before-the-look"),
        pytest.param(0.5, 0.5, id="during-it"),
        pytest.param(60, 1, id="in-the-future"),
    ],
)
def test_when_a_file_is_found(modified_s: float, detected_s: float) -> None:
    """When the look began, or while it went on."""
    stamps = Stamps()

    stamps.read(reading(modified_s), at(0), at(1))

    assert stamps.settled(at(2)) == (at(detected_s), at(2))


def test_what_waits_was_found_once() -> None:
    """Further looks at the same file are part of the settling."""
    stamps = Stamps()
    for second in range(5):
        stamps.read(reading(-1), at(second), at(second + 0.5))

    assert stamps.settled(at(6)) == (at(0), at(6))


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(reading(1.5, size=2), id="written-on"),
        pytest.param(reading(-1, OTHER), id="within-the-file-systems-tick"),
    ],
)
def test_what_is_written_on_is_found_anew(second: Reading) -> None:
    """Else it would be found before it was written."""
    stamps = Stamps()
    stamps.read(reading(-1, ReportSyntaxError("cut off")), at(0), at(1))
    stamps.read(second, at(2), at(3))

    assert stamps.settled(at(4)).detected == at(2)


def test_the_stations_of_a_change() -> None:
    """In µs since 1970, whatever the clock's offset; the hops follow on one another."""
    stamps = Stamps()
    stamps.read(reading(-1), at(0), at(0.5))

    trace = stamps.settled(at(0.75)).trace(at(-1), at(1), Skew(7, 3))

    us = utc_ns(MOMENT) // 1000
    assert trace == Trace(us - 1_000_000, us, us + 750_000, us + 1_000_000, Skew(7, 3))
    assert trace.hops_us == {"detect": 1_000_000, "settle": 750_000, "publish": 250_000}
