import datetime

from reportcast.contracts.clock import iso_utc, utc_now


def test_iso_utc_is_what_javascript_writes() -> None:
    """Milliseconds and Z, in UTC whatever the zone was."""
    zone = datetime.timezone(datetime.timedelta(hours=2))

    assert iso_utc(datetime.datetime(2026, 11, 23, 14, 0, 0, 1500, zone)) == "2026-11-23T12:00:00.001Z"


def test_now_is_aware() -> None:
    """A naive time would be taken for local time."""
    assert utc_now().tzinfo is datetime.UTC
