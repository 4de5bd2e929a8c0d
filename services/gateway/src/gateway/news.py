"""What those are answered who ask for what is new: made once for all who stand at the same place. Pure."""

from collections import OrderedDict
from typing import NamedTuple

from reportcast.contracts.body import PreparedBody
from reportcast.contracts.frames import PreparedFrame
from reportcast.contracts.position import Position
from reportcast.contracts.v1_frames import following

from gateway.burst import Burst

# So many are kept until something is new: one for each place that clients are answered from.
MAX_ANSWERS = 8
# And of those so many that hold the whole report; they differ by why it is sent.
MAX_WHOLE = 2


class Asked(NamedTuple):
    """
    What an answer is made of.

    Attributes:
        at: Where the report stands.
        whole: All of it.
        status: How the channel fares.
        missed: What the client lacks; ``None``: it is given the whole.
        reason: Why, if it gave a position.
    """

    at: Position | None
    whole: Burst | None
    status: Burst | None
    missed: Burst | None
    reason: str | None

    @property
    def frames(self) -> list[PreparedFrame]:
        """The frames that say it, but for the first."""
        return [frame for burst in (self.missed or self.whole, self.status) if burst for frame in burst.frames]


class News:
    """
    The answers of one audience.

    Args:
        channel: Its name.
    """

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._newest: tuple[Burst | None, Burst | None] = None, None
        self._made: OrderedDict[tuple[Burst | None, str | None], PreparedBody] = OrderedDict()

    def has(self, asked: Asked) -> bool:
        """Say whether the answer was made already."""
        return self._newest == (asked.whole, asked.status) and (asked.missed, asked.reason) in self._made

    def get(self, asked: Asked) -> PreparedBody:
        """Give the answer: a list of frames."""
        if self._newest != (asked.whole, asked.status):
            self._newest = asked.whole, asked.status
            self._made.clear()
        key = asked.missed, asked.reason
        if key not in self._made:
            head = following(self._channel, asked.at, asked.missed is not None, asked.reason)
            payloads = [frame.payload for frame in (head, *asked.frames)]
            self._make_room(1 if asked.missed is None else 0)
            self._made[key] = PreparedBody(b"[" + b",".join(payloads) + b"]")
        return self._made[key]

    def _make_room(self, whole: int) -> None:
        """Let go of the oldest, for one more; ``whole`` is 1 if that holds the whole report, else 0."""
        wholes = [key for key in self._made if key[0] is None]
        for key in wholes[: max(0, len(wholes) + whole - MAX_WHOLE)]:
            del self._made[key]
        while len(self._made) >= MAX_ANSWERS:
            self._made.popitem(last=False)
