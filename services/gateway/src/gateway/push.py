"""
One client on its TCP transport, with nothing between: the connection that uvicorn hands off.

While nothing happens it is a few hundred bytes. It holds no frame: the transport keeps a reference to the one that the
kernel has not taken whole, and from then on the hub spares the connection until the kernel has.
"""

import asyncio
import contextlib
import os

from reportcast.contracts.close_codes import ABNORMAL
from reportcast.contracts.frames import PING_FRAME, PreparedFrame, close_frame
from reportcast.service.sockets import unsent_bytes
from reportcast.service.uvicorn_parts import HandOff

from gateway.burst import Burst
from gateway.hub import Flow, Peer
from gateway.inbox import Inbox
from gateway.roster import Roster, Session

# All connections read into this one: each looks at what came before the next reads. A longer read would let one client
# keep all others waiting with its messages.
_BUFFER = bytearray(2048)
_VIEW = memoryview(_BUFFER)
# What clients send most often: a pong without payload, 6 bytes with its mask.
_PONG = b"\x8a\x80"
_PONG_BYTES = 6
# A client may send so many frames at once, and then so many a second: each costs about 30 µs, so a client's share of a
# core is less than 1 %. Who sends more is not read for a while.
FRAMES_AT_ONCE = 100
FRAMES_PER_S = 50


class PushConnection(asyncio.BufferedProtocol):
    """
    A ``Connection`` on a transport.

    Args:
        roster: Where it is listed.
        session: What is spoken on it.
        peer: Who it is.
    """

    __slots__ = (
        "_allowance",
        "_allowed_s",
        "_deflates",
        "_descriptor",
        "_inbox",
        "_resting",
        "_roster",
        "_transport",
        "began",
        "close_code",
        "conflated",
        "flow",
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
        self.silent_pings = 0
        self.close_code: int = ABNORMAL
        self._roster = roster
        self._inbox: Inbox | None = None
        # Frames that the client may send still, and as of when; the zeros and the hundred are everybody's.
        self._allowance: float = FRAMES_AT_ONCE
        self._allowed_s = 0.0
        self._resting: asyncio.TimerHandle | None = None

    def take_over(self, hand_off: HandOff) -> bool:
        """Move the client's transport here; false if that cannot be."""
        handed_off = hand_off(self)
        if handed_off is None:
            return False
        self._transport, self._deflates = handed_off
        self._descriptor: int = self._transport.get_extra_info("socket").fileno()
        # "Paused" is to mean that the kernel is full, which it is at TCP_NOTSENT_LOWAT (reportcast.service.http).
        self._transport.set_write_buffer_limits(high=0)
        if self._transport.get_write_buffer_size():
            # An answer on the same connection before the upgrade has paused it already: nobody will say so again.
            self.pause_writing()
        return True

    @property
    def unsent_bytes(self) -> int:
        """See ``Connection``."""
        return unsent_bytes(self._transport)

    @property
    def is_resting(self) -> bool:
        """Whether the client sent so much that it is not read for a while."""
        return self._resting is not None

    def write(self, burst: Burst) -> None:
        """
        See ``Connection``.

        To the descriptor itself, which costs half a microsecond less than the transport's way to it, 7 % of a delivery.
        While the flow is open the transport holds nothing back, so nothing is overtaken; and it closes its descriptor
        only after ``connection_lost``, so the number is still this client's.
        """
        data = burst.deflated if self._deflates else burst.plain
        try:
            sent = os.write(self._descriptor, data)
        except OSError:  # full, or broken; the transport finds out which
            sent = 0
        if sent < len(data):
            self._send(memoryview(data)[sent:])

    def reply(self, frame: PreparedFrame) -> None:
        """See ``Connection``."""
        if self.flow is not Flow.CLOSING:
            self._send(frame.plain)

    def tell_skipped(self, count: int) -> None:
        """See ``Follower``: without a subprotocol, nobody wants to know."""

    def ping(self) -> None:
        """See ``Connection``."""
        self.silent_pings += 1
        self._send(PING_FRAME + self.session.heartbeat)

    def close(self, code: int, reason: str) -> None:
        """See ``Connection``."""
        self._send(close_frame(code, reason))
        self._read_on()  # for the client's answer to it

    def abort(self) -> None:
        """See ``Connection``."""
        self._transport.abort()

    # What asyncio calls.

    def pause_writing(self) -> None:
        """Spare the client, and read nothing more that would have to be answered."""
        if self.flow is Flow.OPEN:
            self.session.pause(self)
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        if self.flow is Flow.PAUSED:
            self.session.resume(self)
            self._read_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        if self._resting:
            self._resting.cancel()
        self._roster.leave(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Give the buffer that is read into."""
        return _VIEW

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was read."""
        self.silent_pings = 0
        if nbytes != _PONG_BYTES or self._inbox or _BUFFER[:2] != _PONG:
            self._receive(bytes(_VIEW[:nbytes]))

    def data_received(self, data: bytes) -> None:
        """
        Take what was read, where nobody asks for the buffer.

        uvloop (0.23) keeps the last protocol's method of this name, and all that belongs to it, unless this one has it.
        """
        self.silent_pings = 0
        self._receive(data)

    def _receive(self, data: bytes) -> None:
        inbox = self._inbox = self._inbox or Inbox(self._deflates)
        received = inbox.receive(data)
        self._ration(received.frames or 1)  # of what follows a mistake, there are no frames
        if self.flow is Flow.CLOSING:
            if inbox.is_over:
                self._transport.close()  # the client has answered our close
            return
        for message in received.messages:
            self.session.answer(self, message)
        if received.output:
            self._send(received.output)
        if inbox.close_code is not None:
            self.close_code = inbox.close_code
            self._roster.dismiss(self)
            self._end(inbox.is_over)
        elif inbox.is_at_rest:
            self._inbox = None

    def _end(self, is_over: bool) -> None:
        if is_over:
            self._transport.close()
        else:
            # What the client still sends is read and let go: a socket that is closed with something unread is reset,
            # and then the client may not get to see why.
            self._transport.write_eof()

    def _send(self, data: bytes | memoryview) -> None:
        # A transport that is closed for good raises; that its connection is lost is told to it, or was.
        with contextlib.suppress(RuntimeError):
            self._transport.write(data)

    def _ration(self, frames: int) -> None:
        now_s = self._roster.clock()
        allowance = min(FRAMES_AT_ONCE, self._allowance + (now_s - self._allowed_s) * FRAMES_PER_S) - frames
        self._allowance, self._allowed_s = allowance, now_s
        if allowance < 0 and self._resting is None:
            self._transport.pause_reading()
            self._resting = asyncio.get_running_loop().call_later(-allowance / FRAMES_PER_S, self._rested)

    def _rested(self) -> None:
        self._resting = None
        self._read_on()

    def _read_on(self) -> None:
        if self.flow is not Flow.PAUSED and self._resting is None:
            self._transport.resume_reading()
