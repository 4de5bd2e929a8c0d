"""
Which connections follow a channel in this process. Fans out, never waits.

``Connection`` is the seam between fan-out and transport: whatever carries frames to one client has this shape.
"""

import dataclasses
from collections.abc import Iterable
from typing import Protocol

from reportcast.contracts.frames import PreparedFrame


@dataclasses.dataclass(frozen=True, slots=True)
class Peer:
    """
    Who is at the other end, for people to read.

    Attributes:
        id: Unique in this process.
        channel: What it follows.
        address: Network address as the server sees it; a proxy's, behind one.
        user_agent: As sent, at most 200 characters.
        connected_at: ISO 8601 UTC.
    """

    id: int
    channel: str
    address: str
    user_agent: str
    connected_at: str


class Connection(Protocol):
    """One client's transport and our state for it."""

    @property
    def peer(self) -> Peer:
        """Who it is."""
        ...

    @property
    def frames_sent(self) -> int:
        """How many frames the transport took."""
        ...

    @property
    def conflated(self) -> int:
        """How many frames were replaced by a newer one because the client was slow."""
        ...

    def send(self, frame: PreparedFrame) -> None:
        """Take a frame to send when the client can; replaces one that still waits. Never waits."""
        ...


class Hub:
    """The connections of this process that follow one channel."""

    def __init__(self) -> None:
        self._connections: dict[int, Connection] = {}

    def __len__(self) -> int:
        return len(self._connections)

    @property
    def connections(self) -> Iterable[Connection]:
        """Those who follow, oldest first."""
        return self._connections.values()

    def join(self, connection: Connection) -> None:
        """Let ``connection`` get every frame from now on. The caller has looked at the limit."""
        self._connections[connection.peer.id] = connection

    def leave(self, connection: Connection) -> None:
        """Forget ``connection``."""
        self._connections.pop(connection.peer.id, None)

    def publish(self, frame: PreparedFrame) -> None:
        """Hand ``frame`` to every connection."""
        for connection in self._connections.values():
            connection.send(frame)
