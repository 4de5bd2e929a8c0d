"""
All that depends on how uvicorn is built inside: its minor version is pinned, and a contract test holds it to this.

- ``Server`` stops when an event says so, and lets a drain go before.
- ``HttpProtocol`` ends requests that do not come whole in time, or have no end of headers, and connections for which
  there are no descriptors. It lets the application begin an answer and then move the transport to a protocol of its
  own, or hold a request without a task until there is an answer.
- ``WebSocketProtocol`` lets the application accept as usual, and then moves the transport to a protocol of its own, so
  that everything uvicorn keeps for a connection is freed.

Source: docs/adr/0010-the-hand-off.md, docs/adr/0011-admission.md.
"""

import asyncio
import contextlib
import json
import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, cast

import uvicorn
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import NegotiationError
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.http11 import Request
from websockets.typing import ExtensionParameter

from reportcast.service.arrivals import Arrivals, Cut

TICK_S = 1.0
# A WebSocket that was not handed off gets so long to answer a close.
CLOSE_TIMEOUT_S = 5.0
# Of a request, all but its body. nginx takes 32 KiB of headers, and browsers send no more than they are given.
MAX_HEAD_BYTES = 64 * 1024
# What is longer is not copied for each client.
COPIED_BYTES = 4096
# Name of the ASGI extension: a ``HandOff``, for one WebSocket; an ``HttpHandOff``, for one request.
HAND_OFF = "reportcast.hand_off"
# And of that by which a request is held: a ``Hold``.
HOLD = "reportcast.hold"


class _SharedDeflateFactory(ServerPerMessageDeflateFactory):
    """Negotiates what lets one message be deflated for everybody: nothing refers back to what only one was sent."""

    def __init__(self) -> None:
        super().__init__(server_no_context_takeover=True, client_no_context_takeover=True)

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        agreed, deflate = super().process_request_params(params, accepted_extensions)
        if deflate.local_max_window_bits < zlib.MAX_WBITS:
            raise NegotiationError("the client wants a smaller window than everybody else")
        return agreed, deflate


class Server(uvicorn.Server):
    """
    uvicorn's server, told by an event when to stop.

    Args:
        config: uvicorn's.
        stop: Ends the server.
        drain: Awaited once nothing is accepted any more, before uvicorn ends what is still open.
        arrivals: Swept once a second.
    """

    def __init__(
        self, config: uvicorn.Config, stop: asyncio.Event, drain: Callable[[], Awaitable[None]], arrivals: Arrivals
    ) -> None:
        super().__init__(config)
        self._stop = stop
        self._drain = drain
        self._arrivals = arrivals

    async def serve(self, sockets: Any = None) -> None:
        """Serve until it is time to stop; the listeners are closed whatever ends it."""
        self.servers: list[asyncio.base_events.Server] = []
        try:
            await super().serve(sockets)
        finally:
            for server in self.servers:
                server.close()

    async def main_loop(self) -> None:
        """Look after the date header once a second until it is time to stop; uvicorn wakes ten times as often."""
        while not self._stop.is_set():
            await self.on_tick(0)
            self._arrivals.sweep()
            self._arrivals.sweep_unread(
                [each for each in self.server_state.connections if isinstance(each, HttpProtocol) and not each.is_held]
            )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await self._stop.wait()

    async def shutdown(self, sockets: Any = None) -> None:
        """Accept no more, drain, then do as uvicorn does, which would close every WebSocket at once."""
        for server in self.servers:
            server.close()
        await self._drain()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to reportcast.service.process: uvicorn would end the process with them, not exit 0."""
        yield


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, which by itself waits for ever, and takes headers of any size and more sockets than there are."""

    def __init__(self, arrivals: Arrivals, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._arrivals = arrivals
        self._head_bytes = 0
        self._on_lost: Callable[[], None] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if transport.get_extra_info("socket").fileno() >= self._arrivals.max_descriptor:
            self._arrivals.on_cut(Cut.DESCRIPTORS)
            transport.abort()
        else:
            self._arrivals.expect(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrivals.forget(self)
        super().connection_lost(exc)
        if self.scope:
            cast(dict[str, Any], self.scope)["extensions"] = {}  # each refers to the other
        on_lost, self._on_lost = self._on_lost, None
        if on_lost:
            on_lost()

    def data_received(self, data: bytes) -> None:
        self._arrivals.expect(self)
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._cut(Cut.HEADERS, 431, f"the request's head is longer than {MAX_HEAD_BYTES} bytes")

    def on_message_begin(self) -> None:
        # It may have come together with the end of the one before; then of its bytes one alone is known.
        self._arrivals.expect(self)
        self._head_bytes = max(1, self._head_bytes)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if "path" in self.scope:  # else it becomes a WebSocket
            # What uvicorn has begun is a task, which has not had its first turn.
            cast(dict[str, Any], self.scope)["extensions"] = {HAND_OFF: self._hand_off, HOLD: self._hold}

    def on_body(self, body: bytes) -> None:
        self._head_bytes -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._arrivals.forget(self)
        self._head_bytes = 0
        super().on_message_complete()
        if self._exchange:
            self._exchange.more_body = False  # which uvicorn leaves as it is when the answer came first

    def handle_websocket_upgrade(self) -> None:
        super().handle_websocket_upgrade()
        # Each refers to the other; without a collection, both would stay for ever.
        self.parser = None  # type: ignore[assignment] # as uvicorn does when a connection is lost

    def time_out(self) -> None:
        """End the connection; while an earlier request is being answered, wait once more instead."""
        if self._is_answering:
            self._arrivals.expect(self)
        else:
            self._cut(Cut.TIMEOUT, 408, "the request has not come whole in time; send it again")

    def _hand_off(self, protocol: asyncio.BaseProtocol) -> asyncio.Transport | None:
        """
        Move the transport to ``protocol``, which sends the rest of the answer; uvicorn forgets the connection.

        Returns:
            ``None`` if the client has gone, or has asked for something else already: then everything is as it was.
        """
        transport, begun = self.transport, self._exchange
        answered = self._let_go() if begun and begun.response_started else None
        if answered is None:
            return None
        answered.disconnected = True  # nothing is missing of it, as far as uvicorn is concerned
        self.connections.discard(self)
        self._unset_keepalive_if_required()
        self.parser = self.cycle = self.flow = None  # type: ignore[assignment] # nobody will ask for them
        transport.set_protocol(protocol)
        return transport

    def _hold(self, on_lost: Callable[[], None]) -> "HeldRequest | None":
        """
        Let the application return without an answer, which it gives later.

        Args:
            on_lost: Called if the client goes away before.

        Returns:
            ``None`` if it has gone, or has asked for something else already: then everything is as it was.
        """
        held = self._let_go()
        if held is None:
            return None
        held.disconnected = True  # to uvicorn, nobody waits for an answer any more
        self._on_lost = on_lost
        return HeldRequest(self, held)

    def _let_go(self) -> RequestResponseCycle | None:
        latest = self._exchange
        has_asked_more = bool(self.pipeline or self._head_bytes)
        if latest is None or latest.disconnected or latest.more_body or has_asked_more or self.transport.is_closing():
            return None
        cast(dict[str, Any], self.scope)["extensions"] = {}
        self.scope = self.headers = latest.scope = None  # type: ignore[assignment] # they are most of what is kept
        return latest

    @property
    def is_held(self) -> bool:
        """Whether a request waits for its answer; so nothing can be on its way to the client."""
        return self._on_lost is not None

    def resume_after(self, exchange: RequestResponseCycle) -> None:
        """Go on with what the client asks next; ``exchange`` was answered."""
        self._on_lost = None
        exchange.response_complete = True
        if not exchange.keep_alive:
            self.transport.close()
        self.on_response_complete()

    @property
    def _exchange(self) -> RequestResponseCycle | None:
        """The latest request whose headers have come, and its answer; ``None`` before the first."""
        return self.cycle

    @property
    def _is_answering(self) -> bool:
        """Whether a request that has come whole is not answered yet; ``pipeline`` holds those after it."""
        latest = self._exchange
        return bool(self.pipeline) or (latest is not None and not latest.more_body and not latest.response_complete)

    def _cut(self, why: Cut, status: int, sentence: str) -> None:
        self._arrivals.on_cut(why)
        latest = self._exchange
        has_begun = latest is not None and latest.more_body and latest.response_started
        if latest:
            latest.disconnected = True  # what it still sends goes nowhere
        # A browser connects ahead of time, and would take a 408 for the answer to what it sends later.
        if self._head_bytes and not (has_begun or self._is_answering or self.transport.is_closing()):
            self.transport.write(_refusal(status, sentence))
            self.transport.close()
        else:
            self.transport.abort()


class HeldRequest:
    """A request that waits for its answer; nothing but its connection is kept of it."""

    __slots__ = ("_exchange", "_protocol")

    def __init__(self, protocol: HttpProtocol, exchange: RequestResponseCycle) -> None:
        self._protocol = protocol
        self._exchange = exchange

    def answer(self, status: int, headers: Iterable[tuple[str, str]], content: bytes = b"") -> None:
        """
        Answer, unless the client has gone.

        Args:
            status: The code.
            headers: All but those that tell of the connection and of the content's length.
            content: The body; empty with 204 and 304.
        """
        transport = self._protocol.transport
        if transport.is_closing():
            return
        lines = [b"%b: %b\r\n" % each for each in self._protocol.server_state.default_headers]
        lines += [f"{name}: {value}\r\n".encode("latin-1") for name, value in headers]
        if content:
            lines.append(b"content-length: %d\r\n" % len(content))
        if not self._exchange.keep_alive:
            lines.append(b"connection: close\r\n")
        head = b"".join((STATUS_LINE[status], *lines, b"\r\n"))
        if len(content) <= COPIED_BYTES:
            transport.write(head + content)
        else:  # one content for all who are answered with it, however slowly they take it
            transport.write(head)
            transport.write(content)
        self._protocol.resume_after(self._exchange)


HttpHandOff = Callable[[asyncio.BaseProtocol], asyncio.Transport | None]
Hold = Callable[[Callable[[], None]], HeldRequest | None]


def _refusal(status: int, sentence: str) -> bytes:
    body = json.dumps({"error": sentence}).encode()
    head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return STATUS_LINE[status] + head.encode() + body


class HandedOff(NamedTuple):
    """
    A WebSocket after its hand-off.

    Attributes:
        transport: Reads for the new protocol already.
        deflates: Whether the client takes messages that are deflated for everybody.
    """

    transport: asyncio.Transport
    deflates: bool


HandOff = Callable[[asyncio.BaseProtocol], HandedOff | None]


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, whose transport an application can take over once it has accepted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.close_timeout = CLOSE_TIMEOUT_S
        self.conn.available_extensions = [_SharedDeflateFactory()]

    def handle_connect(self, event: Request) -> None:
        """Offer the hand-off beside what uvicorn offers."""
        super().handle_connect(event)
        if not self.close_sent:
            cast(dict[str, Any], self.scope["extensions"])[HAND_OFF] = self._hand_off

    async def send(self, message: ASGISendEvent) -> None:
        """Do as uvicorn does, which takes an answer instead of the upgrade for none, and logs an error (0.54)."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True

    def _hand_off(self, protocol: asyncio.BaseProtocol) -> HandedOff | None:
        """
        Move the transport to ``protocol``; uvicorn forgets the connection.

        Returns:
            ``None`` if the client has gone, or has sent something before it was answered, which it must not (RFC 6455,
            4.1): then everything is as it was.
        """
        transport = self.transport
        if not self.handshake_complete or self.close_sent or transport.is_closing() or not self.queue.empty():
            return None
        self.stop_keepalive()
        self.connections.discard(self)
        # uvicorn closes its transport when the application returns; that is another one from here on.
        self.transport = cast(asyncio.Transport, _NoTransport())
        self.scope["extensions"] = {}  # its reference to this object would keep both until a collection
        transport.set_protocol(protocol)
        return HandedOff(transport, bool(self.conn.extensions))


class _NoTransport:
    def close(self) -> None:
        """Do nothing: there is nothing left to close."""
