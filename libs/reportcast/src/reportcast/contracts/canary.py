"""
The canary: a small report that watchers write and publish all the time, so that every hop can be seen to work. Pure.

Source: docs/protocol.md, Canary.
"""

import datetime

import msgspec

from reportcast.contracts.clock import iso_utc, moment_of, utc_ns
from reportcast.contracts.messages import Source, SourceState


class Canary(msgspec.Struct, frozen=True):
    """
    What one canary says.

    Attributes:
        writer: Which watcher's it is, so that no two are alike.
        number: How many that watcher wrote before, and this one.
        written_us: When, in microseconds since 1970; a file system's own times are too coarse.
    """

    writer: str
    number: int
    written_us: int

    @property
    def written_at(self) -> datetime.datetime:
        """When it was written, by the clock of the watcher; aware."""
        return moment_of(self.written_us * 1000)


def write_canary(writer: str, number: int, written_at: datetime.datetime) -> bytes:
    """Give the content of a canary."""
    return msgspec.json.encode(Canary(writer, number, utc_ns(written_at) // 1000))


def read_canary(body: bytes) -> Canary | None:
    """Give what a canary says; ``None`` if it is none."""
    try:
        return msgspec.json.decode(body, type=Canary)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def called_off(now: datetime.datetime) -> Source:
    """Give the last word of the canary: that nothing is expected of it any more."""
    return Source(SourceState.LIVE, iso_utc(now), heard_at=now, expected_every_s=0)


def is_expected(source: Source | None) -> bool:
    """Tell whether canaries are to come, by the last word of them; ``None``: nobody has said anything."""
    return source is not None and source.expected_every_s != 0
