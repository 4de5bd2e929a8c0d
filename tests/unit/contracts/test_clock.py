import datetime

import pytest
from reportcast.contracts.clock import iso_utc, moment_of, utc_now


def test_iso_utc_is_what_javascript_writes() -> None:
    """Milliseconds and Z, in UTC whatever the zone was."""
    zone = datetime.timezone(datetime.timedelta(hours=2))

    assert iso_utc(datetime.datetime(2026, 11, 23, 14, 0, 0, 1500, zone)) == "2026-11-23T12:00:00.001Z"


def test_now_is_aware() -> None:
    """A naive time would be taken for local time."""
    assert utc_now().tzinfo is datetime.UTC


@pytest.mark.parametrize(
    ("time_ns", "written"),
    [
        pytest.param(1_500_000_000, "1970-01-01T00:00:01.500Z", id="usual"),
        pytest.param(10**30, "9999-12-31T23:59:59.999Z", id="beyond-the-calendar"),
        pytest.param(-(10**30), "0001-01-01T00:00:00.000Z", id="before-the-calendar"),
    ],
)
def test_moment_of(time_ns: int, written: str) -> None:
    """Whatever a file claims, it is a time that can be written."""
    assert iso_utc(moment_of(time_ns)) == written
