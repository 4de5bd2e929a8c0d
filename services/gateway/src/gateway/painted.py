"""What browsers report of changes that they painted, and how much of it is taken. Pure."""

from typing import Annotated

import msgspec
from reportcast.contracts.position import Position

MAX_BODY_BYTES = 512
MAX_REPORTS_PER_S = 50
# Ten minutes: a browser that was asleep paints late.
MAX_MS = 600_000

_Ms = Annotated[float, msgspec.Meta(ge=0, le=MAX_MS)]


class Painted(msgspec.Struct, frozen=True, rename="camel"):
    """
    One report.

    Attributes:
        channel: Which.
        epoch: Of the change's position.
        offset: Of the change's position.
        deliver_ms: From the gateway's receipt to the browser's, as far as the browser can tell.
        paint_ms: From there until it was painted.
    """

    channel: str
    epoch: str
    offset: int
    deliver_ms: _Ms
    paint_ms: _Ms

    @property
    def position(self) -> Position:
        """Of the change."""
        return Position(self.epoch, self.offset)


class PaintedError(Exception):
    """What is no such report; ``str()`` says why in one sentence."""


_decoder = msgspec.json.Decoder(Painted)


def parse_painted(raw: bytes) -> Painted:
    """
    Read a report.

    Raises:
        PaintedError: If it is none.
    """
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        expected = f"expected are channel, epoch, offset, and deliverMs and paintMs from 0 to {MAX_MS}"
        raise PaintedError(f"this is no report of what was painted: {str(exc)[:200]}; {expected}") from exc


class Allowance:
    """At most so many in each second; those beyond it are refused."""

    def __init__(self, per_s: int) -> None:
        self._per_s = per_s
        self._second = 0
        self._taken = 0

    def take(self, now_s: float) -> bool:
        """Tell whether one more is allowed now; times are monotonic."""
        second = int(now_s)
        if second != self._second:
            self._second, self._taken = second, 0
        self._taken += 1
        return self._taken <= self._per_s
