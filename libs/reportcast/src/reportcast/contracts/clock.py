"""Times as the contract writes them."""

import datetime

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_FIRST = datetime.datetime.min.replace(tzinfo=datetime.UTC)
_LAST = datetime.datetime.max.replace(tzinfo=datetime.UTC)


def utc_now() -> datetime.datetime:
    """Return the present time, aware, in UTC. For the edges only; deciding code takes it as an argument."""
    return datetime.datetime.now(datetime.UTC)


def iso_utc(moment: datetime.datetime) -> str:
    """
    Write a moment as ISO 8601 in UTC with milliseconds and ``Z``, as JavaScript's ``toISOString`` does.

    Source: docs/protocol.md, Frames.
    """
    return moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment_of(time_ns: int) -> datetime.datetime:
    """Give a file's time, in nanoseconds since 1970; one that no calendar holds becomes the nearest that it does."""
    try:
        return datetime.datetime.fromtimestamp(time_ns / 1e9, datetime.UTC)
    except (ValueError, OverflowError, OSError):
        return _LAST if time_ns > 0 else _FIRST


def utc_ns(moment: datetime.datetime) -> int:
    """Give an aware time as nanoseconds since 1970, exact to the microsecond."""
    return utc_us(moment) * 1000


def utc_us(moment: datetime.datetime) -> int:
    """Give an aware time as microseconds since 1970."""
    return (moment - _EPOCH) // datetime.timedelta(microseconds=1)
