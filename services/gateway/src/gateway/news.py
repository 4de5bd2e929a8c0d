"""What those are answered who ask for what is new: made once for all who stand at the same place. Pure."""

from collections import OrderedDict

from reportcast.contracts.body import PreparedBody
from reportcast.contracts.frames import PreparedFrame
from reportcast.contracts.position import Position
from reportcast.contracts.v1_frames import following

from gateway.burst import Burst

# So many are kept until something is new: one for each place that clients are answered from.
MAX_ANSWERS = 8


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

    def get(
        self, at: Position | None, whole: Burst | None, status: Burst | None, missed: Burst | None, reason: str | None
    ) -> PreparedBody:
        """
        Give an answer: a list of frames.

        Args:
            at: Where the report stands.
            whole: All of it.
            status: How the channel fares.
            missed: What the client lacks; ``None``: it is given the whole.
            reason: Why, if it gave a position.
        """
        if self._newest != (whole, status):
            self._newest = whole, status
            self._made.clear()
        key = missed, reason
        if key not in self._made:
            frames: list[PreparedFrame] = [following(self._channel, at, missed is not None, reason)]
            for burst in (missed or whole, status):
                frames += burst.frames if burst else ()
            self._made[key] = PreparedBody(b"[" + b",".join(frame.payload for frame in frames) + b"]")
            if len(self._made) > MAX_ANSWERS:
                self._made.popitem(last=False)
        return self._made[key]
