"""One of the things that a client follows."""

from collections.abc import Callable
from typing import Protocol

from reportcast.contracts.frames import PreparedFrame

from gateway.burst import Burst
from gateway.hub import Flow, Hub, Peer


class Subscriber(Protocol):
    """Who follows several things at once; see ``Follower`` and ``Connection`` for what it has of these."""

    peer: Peer
    flow: Flow

    def write(self, burst: Burst) -> None:
        """Take updates of one of them."""
        ...

    def queue(self, burst: Burst) -> None:
        """Do as ``write`` does, behind what the client has not taken yet."""
        ...

    def reply(self, frame: PreparedFrame) -> None:
        """Send what this client alone is told."""
        ...

    def abort(self) -> None:
        """End the connection at once."""
        ...


class Subscription:
    """A ``Follower``: one of the things that a connection follows."""

    __slots__ = ("_connection", "_skipped", "began", "conflated", "flow", "hub", "is_owed", "peer", "sequence")

    def __init__(self, connection: Subscriber, hub: Hub, skipped: Callable[[int], PreparedFrame] | None = None) -> None:
        self.peer = connection.peer
        self.flow = connection.flow
        self.sequence = 0
        self.began = 0
        self.conflated = 0
        self.is_owed = False
        self.hub = hub
        self._connection = connection
        self._skipped = skipped

    def write(self, burst: Burst) -> None:
        """See ``Follower``."""
        self._connection.write(burst)

    def queue(self, burst: Burst) -> None:
        """See ``Follower``."""
        self._connection.queue(burst)

    def tell_skipped(self, count: int) -> None:
        """See ``Follower``."""
        if self._skipped:
            self._connection.reply(self._skipped(self.sequence))

    def abort(self) -> None:
        """See ``Follower``."""
        self._connection.abort()
