"""The updates of one tick of the event loop, joined: each connection takes them in one write. Pure."""

from collections.abc import Sequence

from reportcast.contracts.frames import PreparedFrame
from reportcast.contracts.once import Once


class Burst:
    """
    Updates that follow on one another, shared by every connection that is given them.

    Attributes:
        frames: Oldest first, at least one.
        last: Number of the last one; the first is ``last - len(frames) + 1``.
    """

    def __init__(self, frames: Sequence[PreparedFrame], last: int) -> None:
        self.frames = frames
        self.last = last

    @Once
    def size(self) -> int:
        """Bytes of the messages."""
        return sum(each.size for each in self.frames)

    @Once
    def plain(self) -> bytes:
        """What goes to a connection whose client takes no compression."""
        return self.frames[0].plain if len(self.frames) == 1 else b"".join(each.plain for each in self.frames)

    @Once
    def deflated(self) -> bytes:
        """What goes to one whose client does."""
        return self.frames[0].deflated if len(self.frames) == 1 else b"".join(each.deflated for each in self.frames)

    @Once
    def event(self) -> bytes:
        """What goes to an event stream."""
        return self.frames[0].event if len(self.frames) == 1 else b"".join(each.event for each in self.frames)

    @Once
    def event_deflated(self) -> bytes:
        """What goes to one that is compressed."""
        return b"".join(each.event_deflated for each in self.frames)

    def newest(self, count: int) -> "Burst":
        """Give the last ``count`` of them, at least one and at most all."""
        return Burst(self.frames[-count:], self.last)
