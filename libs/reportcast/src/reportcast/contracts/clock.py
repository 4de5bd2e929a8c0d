"""Times as the contract writes them."""

import datetime


def utc_now() -> datetime.datetime:
    """Return the present time, aware, in UTC. For the edges only; deciding code takes it as an argument."""
    return datetime.datetime.now(datetime.UTC)


def iso_utc(moment: datetime.datetime) -> str:
    """
    Write a moment as ISO 8601 in UTC with milliseconds and ``Z``, as JavaScript's ``toISOString`` does.

    Source: docs/protocol.md, Frames.
    """
    return moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
