"""
Who is connected to this process, whatever they follow; from the handshake to the last byte.

``Connection`` is the seam between what clients are told and how it travels.
"""

import datetime
import enum
import itertools
from collections.abc import Callable, Iterable
from typing import Protocol

import structlog
from reportcast.contracts.clock import iso_utc
from reportcast.contracts.close_codes import CloseCode
from reportcast.contracts.frames import PreparedFrame

from gateway.admission import Admission
from gateway.hub import Flow, Follower, Peer
from gateway.metrics import GatewayMetrics
from gateway.retry import retry_after_ms, retry_reason


class Transport(enum.StrEnum):
    """How what clients are told travels, as the metrics name it."""

    WEBSOCKET = "websocket"
    EVENTS = "events"
    POLL = "poll"


class Session(Protocol):
    """What is spoken on a connection; several connections may share one."""

    @property
    def heartbeat(self) -> bytes:
        """What is sent besides each ping, as it stands on the wire."""
        ...

    def begin(self, connection: "Connection") -> None:
        """Tell the client what it is told first."""
        ...

    def answer(self, connection: "Connection", message: str | bytes) -> None:
        """Answer one message."""
        ...

    def pause(self, connection: "Connection") -> None:
        """Spare the client."""
        ...

    def resume(self, connection: "Connection") -> None:
        """Give the client what it missed."""
        ...

    def farewell(self, connection: "Connection", retry_after_ms: int) -> None:
        """Tell the client that it is about to be closed, and when to come back."""
        ...

    def end(self, connection: "Connection") -> None:
        """Give the client nothing more."""
        ...

    def given(self, connection: "Connection") -> int:
        """How many updates the client was given."""
        ...

    def conflated(self, connection: "Connection") -> int:
        """How many updates it was not given because it was slow."""
        ...

    def behind(self, connection: "Connection") -> int:
        """How many updates it was not given yet."""
        ...


class Connection(Follower, Protocol):
    """
    One client's transport and our state for it.

    Attributes:
        transport: How it travels.
        session: What is spoken.
        silent_pings: How many pings in a row had no answer.
        close_code: With what it ended; 1006 until somebody has said otherwise.
    """

    transport: Transport
    session: Session
    silent_pings: int
    close_code: int

    @property
    def unsent_bytes(self) -> int:
        """What its client has not taken yet."""
        ...

    def reply(self, frame: PreparedFrame) -> None:
        """Send an answer."""
        ...

    def ping(self) -> None:
        """Ask the client for a sign of life, and count the question."""
        ...

    def beat(self) -> None:
        """Give the client a sign of life, where it does not come with the ping."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Send a close frame behind what is on its way, and end when the client answers it."""
        ...


class Waiter(Protocol):
    """
    A client that waits for the one answer that it will get.

    Attributes:
        peer: Who it is.
        until_s: When it is told that nothing is new, by the roster's clock.
    """

    peer: Peer
    until_s: float

    def expire(self) -> None:
        """Answer it now: it has waited for long enough."""
        ...

    def give_up(self, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Tell it that nothing is new."""
        ...


class Roster:
    """
    The connections of this process, and those who wait.

    Args:
        admission: Where their places are given back.
        metrics: To count in.
        now: Gives the present time, aware.
        clock: Gives the event loop's, in seconds.
        log: Where to tell of who comes and goes.
    """

    def __init__(
        self,
        admission: Admission,
        metrics: GatewayMetrics,
        now: Callable[[], datetime.datetime],
        clock: Callable[[], float],
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self.admission = admission
        self.metrics = metrics
        self.now = now
        self.clock = clock
        # Of all that connect, whatever they connect by.
        self.ids = itertools.count(1)
        self._log = log
        self._everyone: dict[int, Connection] = {}
        self._closing: dict[int, Connection] = {}
        self._waiting: dict[int, Waiter] = {}

    def __len__(self) -> int:
        return len(self._everyone)

    @property
    def connections(self) -> Iterable[Connection]:
        """Those who are to stay, oldest first."""
        return self._everyone.values()

    @property
    def paused(self) -> list[Connection]:
        """Those who are too slow at present, oldest first."""
        return [connection for connection in self._everyone.values() if connection.flow is Flow.PAUSED]

    @property
    def closing(self) -> list[Connection]:
        """Those who were asked to leave, longest first; nothing more is sent to them."""
        return list(self._closing.values())

    @property
    def waiting(self) -> list[Waiter]:
        """Those who wait for an answer, longest first."""
        return list(self._waiting.values())

    @property
    def timestamp(self) -> str:
        """The present time as the contract writes it."""
        return iso_utc(self.now())

    def opened_at(self, peer: Peer) -> str:
        """When ``peer`` connected, ISO 8601 UTC."""
        return iso_utc(self.now() - datetime.timedelta(seconds=self.clock() - peer.opened_s))

    def join(self, connection: Connection) -> None:
        """Let ``connection``, which has been admitted, begin."""
        self.metrics.opened.labels(connection.transport).inc()
        self.metrics.connections.labels(connection.transport).inc()
        peer, transport = connection.peer, connection.transport.value
        self._everyone[peer.id] = connection
        self._log.info("connection opened", id=peer.id, channel=peer.channel, address=peer.address, transport=transport)
        connection.session.begin(connection)

    def leave(self, connection: Connection) -> None:
        """Forget ``connection``, whose client is gone."""
        self.dismiss(connection)
        del self._closing[connection.peer.id]
        self.admission.leave(connection.peer.host)
        self.metrics.connections.labels(connection.transport).dec()
        self.metrics.count_close(connection.close_code)
        self._log.info(
            "connection closed",
            id=connection.peer.id,
            code=connection.close_code,
            duration_s=round(self.clock() - connection.peer.opened_s, 3),
            frames=connection.session.given(connection),
            conflated=connection.session.conflated(connection),
        )

    def wait(self, waiter: Waiter) -> None:
        """Count ``waiter``, which has been admitted, in."""
        self.metrics.opened.labels(Transport.POLL).inc()
        self.metrics.connections.labels(Transport.POLL).inc()
        self._waiting[waiter.peer.id] = waiter

    def end_wait(self, waiter: Waiter) -> None:
        """Forget ``waiter``, which is answered or gone."""
        del self._waiting[waiter.peer.id]
        self.admission.leave(waiter.peer.host)
        self.metrics.connections.labels(Transport.POLL).dec()

    def part(self, connection: Connection, code: CloseCode, reason: str) -> None:
        """Ask the client of ``connection`` to leave, at most once; ``reason`` is at most 123 bytes."""
        if connection.flow is not Flow.CLOSING:
            self.dismiss(connection)
            connection.close_code = int(code)
            connection.close(code, reason)

    def retire(self, connection: Connection) -> None:
        """Ask the client of ``connection`` to come back, to another process."""
        if connection.flow is not Flow.CLOSING:
            after_ms = retry_after_ms()
            connection.session.farewell(connection, after_ms)
            self.part(connection, CloseCode.SERVICE_RESTART, retry_reason(after_ms))

    def dismiss(self, connection: Connection) -> None:
        """Give ``connection`` nothing more; it is to end."""
        if connection.peer.id not in self._closing:
            del self._everyone[connection.peer.id]
            self._closing[connection.peer.id] = connection
            connection.session.end(connection)
            connection.flow = Flow.CLOSING
