"""One client on a WebSocket that uvicorn has handed off. Source: docs/adr/0010-the-hand-off.md."""

import asyncio

from reportcast.contracts.frames import PING_FRAME, close_frame
from reportcast.service.uvicorn_parts import HandOff

from gateway.hub import Flow, Peer
from gateway.inbox import Inbox
from gateway.push import BUFFER, VIEW, PushConnection
from gateway.roster import Roster, Session, Transport

# What clients send most often: a pong without payload, 6 bytes with its mask.
_PONG = b"\x8a\x80"
_PONG_BYTES = 6
# A client may send so many frames at once, and then so many a second: each costs about 30 µs, so a client's share of a
# core is less than 1 %. Who sends more is not read for a while.
FRAMES_AT_ONCE = 100
FRAMES_PER_S = 50


class WebSocketConnection(PushConnection):
    """A ``Connection`` on a WebSocket's transport."""

    transport = Transport.WEBSOCKET

    __slots__ = ("_allowance", "_allowed_s", "_deflates", "_inbox", "_resting")

    def __init__(self, roster: Roster, session: Session, peer: Peer) -> None:
        super().__init__(roster, session, peer)
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
        self._deflates = handed_off.deflates
        self.begin_on(handed_off.transport, "deflated" if handed_off.deflates else "plain", "plain")
        return True

    @property
    def is_resting(self) -> bool:
        """Whether the client sent so much that it is not read for a while."""
        return self._resting is not None

    def ping(self) -> None:
        """See ``Connection``."""
        self.silent_pings += 1
        self._send(PING_FRAME + self.session.heartbeat)

    def beat(self) -> None:
        """See ``Connection``: it comes with the ping."""

    def close(self, code: int, reason: str) -> None:
        """See ``Connection``."""
        self._send(close_frame(code, reason))
        self._read_on()  # for the client's answer to it

    # What asyncio calls.

    def pause_writing(self) -> None:
        """Spare the client, and read nothing more that would have to be answered."""
        if self.flow is Flow.OPEN:
            super().pause_writing()
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        if self.flow is Flow.PAUSED:
            super().resume_writing()
            self._read_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        if self._resting:
            self._resting.cancel()
        super().connection_lost(exc)

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was read."""
        self.silent_pings = 0
        if nbytes != _PONG_BYTES or self._inbox or BUFFER[:2] != _PONG:
            self._receive(bytes(VIEW[:nbytes]))

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
