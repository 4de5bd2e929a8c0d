"""One client on an event stream that uvicorn has handed off. Source: docs/protocol.md, Events."""

import random

from reportcast.contracts.body import GZIP_HEADER, stored
from reportcast.contracts.close_codes import NO_CODE
from reportcast.contracts.frames import chunk
from reportcast.contracts.v1_frames import HEARTBEAT
from reportcast.service.sockets import give_up_after
from reportcast.service.uvicorn_parts import HttpHandOff

from gateway.hub import Flow, Peer
from gateway.push import Form, PushConnection
from gateway.roster import Roster, Session, Transport

# Proxies end what has been silent for a while, the strictest after 30 s; HTML (9.2.7) advises about 15 s.
HEARTBEAT_S = 15.0
# Browsers come back after the time that they were told, all of them alike: so each is told another one.
RETRY_MS = (500, 3000)
_LAST_CHUNK = b"0\r\n\r\n"


class EventStream(PushConnection):
    """
    A ``Connection`` that is the answer to a request, which goes on.

    Nobody answers a ping here: the kernel gives a client up that has not acknowledged a heartbeat for two of them.

    Args:
        roster: Where it is listed.
        session: What is spoken on it.
        peer: Who it is.
        heartbeat_s: How often there is a heartbeat.
    """

    transport = Transport.EVENTS

    __slots__ = ("_heartbeat_s",)

    def __init__(self, roster: Roster, session: Session, peer: Peer, heartbeat_s: float) -> None:
        super().__init__(roster, session, peer)
        self.close_code = NO_CODE
        self._heartbeat_s = heartbeat_s

    def take_over(self, hand_off: HttpHandOff, is_compressed: bool) -> bool:
        """Move the client's transport here, behind the head of the answer; false if that cannot be."""
        transport = hand_off(self)
        if transport is None:
            return False
        give_up_after(transport, 2 * self._heartbeat_s)
        form: Form = "event_deflated" if is_compressed else "event"
        self.begin_on(transport, form, form)
        preamble = b"retry: %d\n\n" % random.randint(*RETRY_MS)  # noqa: S311 - no secret
        self._send(chunk(GZIP_HEADER, stored(preamble)) if is_compressed else chunk(preamble))
        return True

    def ping(self) -> None:
        """See ``Connection``; a heartbeat is all that there is."""

    def beat(self) -> None:
        """See ``Connection``."""
        if self.flow is Flow.OPEN:  # one that is paused would not get it
            self.reply(HEARTBEAT)

    def close(self, code: int, reason: str) -> None:
        """See ``Connection``; there is no way to say why."""
        self._send(_LAST_CHUNK)
        self._transport.close()

    # What asyncio calls.

    def buffer_updated(self, nbytes: int) -> None:
        """End it: who is being answered has nothing to say, and what it says would be kept for nobody."""
        self.abort()

    def data_received(self, data: bytes) -> None:
        """See ``WebSocketConnection``."""
        self.abort()
