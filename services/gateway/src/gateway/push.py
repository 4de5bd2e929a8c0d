"""
One client on its TCP transport, with nothing between: what connections that uvicorn hands off have in common.

While nothing happens it is a few hundred bytes. It holds no frame: the transport keeps a reference to the one that the
kernel has not taken whole, and from then on the hub spares the connection until the kernel has.
"""

import abc
import asyncio
import contextlib
import os
from typing import Literal

from reportcast.contracts.close_codes import ABNORMAL
from reportcast.contracts.frames import PreparedFrame
from reportcast.service.sockets import unsent_bytes

from gateway.burst import Burst
from gateway.hub import Flow, Peer
from gateway.roster import Roster, Session, Transport

# How a frame or a burst stands on the wire, as their attributes are named.
Form = Literal["plain", "deflated", "event", "event_deflated"]

# All connections read into this one: each looks at what came before the next reads. A longer read would let one client
# keep all others waiting with its messages.
BUFFER = bytearray(2048)
VIEW = memoryview(BUFFER)


class PushConnection(asyncio.BufferedProtocol, abc.ABC):
    """
    The writing part of a ``Connection`` on a transport; what is read, and how it ends, is its transport's own.

    Args:
        roster: Where it is listed.
        session: What is spoken on it.
        peer: Who it is.
    """

    transport: Transport

    __slots__ = (
        "_descriptor",
        "_form",
        "_reply_form",
        "_roster",
        "_transport",
        "began",
        "close_code",
        "conflated",
        "flow",
        "is_owed",
        "peer",
        "sequence",
        "session",
        "silent_pings",
    )

    def __init__(self, roster: Roster, session: Session, peer: Peer) -> None:
        self.peer = peer
        self.session = session
        self.flow = Flow.OPEN
        self.sequence = 0
        self.began = 0
        self.conflated = 0
        self.is_owed = False
        self.silent_pings = 0
        self.close_code: int = ABNORMAL
        self._roster = roster

    def begin_on(self, transport: asyncio.Transport, form: Form, reply_form: Form) -> None:
        """Write to ``transport`` from now on: what all are given in one form, what this client alone is in another."""
        self._transport = transport
        self._form: Form = form
        self._reply_form: Form = reply_form
        self._descriptor: int = transport.get_extra_info("socket").fileno()
        # "Paused" is to mean that the kernel is full, which it is at TCP_NOTSENT_LOWAT (reportcast.service.http).
        transport.set_write_buffer_limits(high=0)
        if transport.get_write_buffer_size():
            # An answer on the same connection before has paused it already: nobody will say so again.
            self.pause_writing()

    @property
    def unsent_bytes(self) -> int:
        """See ``Connection``."""
        return unsent_bytes(self._transport)

    def write(self, burst: Burst) -> None:
        """
        See ``Connection``.

        To the descriptor itself, which costs half a microsecond less than the transport's way to it, 7 % of a delivery.
        While the flow is open the transport holds nothing back, so nothing is overtaken; and it closes its descriptor
        only after ``connection_lost``, so the number is still this client's.
        """
        data: bytes = getattr(burst, self._form)
        try:
            sent = os.write(self._descriptor, data)
        except OSError:  # full, or broken; the transport finds out which
            sent = 0
        if sent < len(data):
            self._send(memoryview(data)[sent:])

    def queue(self, burst: Burst) -> None:
        """See ``Follower``."""
        self._send(getattr(burst, self._form))

    def reply(self, frame: PreparedFrame) -> None:
        """See ``Connection``."""
        if self.flow is not Flow.CLOSING:
            self._send(getattr(frame, self._reply_form))

    @abc.abstractmethod
    def ping(self) -> None:
        """See ``Connection``."""

    @abc.abstractmethod
    def beat(self) -> None:
        """See ``Connection``."""

    @abc.abstractmethod
    def close(self, code: int, reason: str) -> None:
        """See ``Connection``."""

    def tell_skipped(self, count: int) -> None:
        """See ``Follower``: without a subprotocol, nobody wants to know."""

    def abort(self) -> None:
        """See ``Connection``."""
        self._transport.abort()

    # What asyncio calls.

    def pause_writing(self) -> None:
        """Spare the client."""
        if self.flow is Flow.OPEN:
            self.session.pause(self)

    def resume_writing(self) -> None:
        """Go on."""
        if self.flow is Flow.PAUSED:
            self.session.resume(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        self._roster.leave(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Give the buffer that is read into."""
        return VIEW

    def _send(self, data: bytes | memoryview) -> None:
        # A transport that is closed for good raises; that its connection is lost is told to it, or was.
        with contextlib.suppress(RuntimeError):
            self._transport.write(data)
