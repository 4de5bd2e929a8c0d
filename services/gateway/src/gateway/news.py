"""What those are answered who ask for what is new: made once for all who stand at the same place."""

from collections import OrderedDict

from reportcast.contracts.body import PreparedBody
from reportcast.contracts.frames import PreparedFrame
from reportcast.contracts.position import Position
from reportcast.contracts.v1_frames import following

from gateway.audience import MAX_RECOVERIES, ReportAudience, StatusAudience
from gateway.burst import Burst


class News:
    """
    The answers of one audience, which it must not keep alive.

    Args:
        channel: Its name.
        status: Those who are told how it fares.
    """

    def __init__(self, channel: str, status: StatusAudience) -> None:
        self._channel = channel
        self._status = status
        self._of: tuple[Burst | None, Burst | None] = None, None
        self._made: OrderedDict[tuple[Burst | None, str | None], PreparedBody] = OrderedDict()

    def since(self, audience: ReportAudience, position: Position | None, told: str | None) -> PreparedBody | None:
        """
        Give what is new to a client; ``None`` if nothing is.

        Args:
            audience: Who follow a report, or the same part of it: always the same one.
            position: Where it stands; ``None``: nowhere.
            told: The tag of how it was told that the channel fares; ``None``: it does not want to know.
        """
        status = self._status
        missed, reason = (None, None) if position is None else audience.missed_since(position)
        knows_report = audience.position is None if missed is None else not missed.frames
        if knows_report and told in (None, status.tag):
            return None
        newest = audience.hub.newest, status.hub.newest
        if self._of != newest:
            self._of = newest
            self._made.clear()
        if (missed, reason) not in self._made:
            self._made[missed, reason] = self._make(audience, missed, reason)
            if len(self._made) > MAX_RECOVERIES:
                self._made.popitem(last=False)
        return self._made[missed, reason]

    def _make(self, audience: ReportAudience, missed: Burst | None, reason: str | None) -> PreparedBody:
        first = following(self._channel, audience.position, missed is not None, reason)
        report, status = missed or audience.hub.newest, self._status.hub.newest
        frames: list[PreparedFrame] = [first]
        for burst in (report, status):
            frames += burst.frames if burst else ()
        return PreparedBody(b"[" + b",".join(frame.payload for frame in frames) + b"]")
