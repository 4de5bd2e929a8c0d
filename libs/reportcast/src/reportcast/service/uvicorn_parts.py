"""
All that depends on how uvicorn is built inside: its minor version is pinned, and a contract test holds it to this.

- ``Server`` stops when an event says so, and lets a drain go before.
- ``WebSocketProtocol`` lets the application accept as usual, and then moves the transport to a protocol of its own, so
  that everything uvicorn keeps for a connection is freed.

Source: docs/adr/0010-the-hand-off.md.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple, cast

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.http11 import Request
from websockets.server import ServerProtocol

TICK_S = 1.0
# Name of the ASGI extension: a ``HandOff``, for one connection.
HAND_OFF = "reportcast.hand_off"

# One frame is deflated for everybody, so no connection may refer back to what only it was sent.
_DEFLATE = ServerPerMessageDeflateFactory(
    server_no_context_takeover=True, client_no_context_takeover=True, client_max_window_bits=15
)


class Server(uvicorn.Server):
    """
    uvicorn's server, told by an event when to stop.

    Args:
        config: uvicorn's.
        stop: Ends the server.
        drain: Awaited once nothing is accepted any more, before uvicorn ends what is still open.
    """

    def __init__(self, config: uvicorn.Config, stop: asyncio.Event, drain: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._stop = stop
        self._drain = drain

    async def main_loop(self) -> None:
        """Look after the date header once a second until it is time to stop; uvicorn wakes ten times as often."""
        while not self._stop.is_set():
            await self.on_tick(0)
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


class HandedOff(NamedTuple):
    """
    A WebSocket after its hand-off.

    Attributes:
        transport: Its reading is paused.
        deflates: Whether the client takes messages that are deflated with the largest window.
        parser: Holds what the client sent early; reads the rest.
        messages: That the client sent before the hand-off.
    """

    transport: asyncio.Transport
    deflates: bool
    parser: ServerProtocol
    messages: list[str | bytes]


HandOff = Callable[[asyncio.BaseProtocol], HandedOff | None]


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, whose transport an application can take over once it has accepted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn.available_extensions = [_DEFLATE]

    def handle_connect(self, event: Request) -> None:
        """Offer the hand-off beside what uvicorn offers."""
        super().handle_connect(event)
        if not self.close_sent:
            cast(dict[str, Any], self.scope["extensions"])[HAND_OFF] = self._hand_off

    def _hand_off(self, protocol: asyncio.BaseProtocol) -> HandedOff | None:
        """
        Move the transport to ``protocol``; uvicorn forgets the connection.

        Returns:
            ``None`` if the client has gone, or is about to.
        """
        transport, parser = self.transport, self.conn
        if self.disconnected or self.close_sent or transport.is_closing():
            return None
        self.stop_keepalive()
        messages: list[str | bytes] = []
        while not self.queue.empty():
            event = self.queue.get_nowait()
            if event["type"] == "websocket.receive":
                messages += [each for each in (event.get("text"), event.get("bytes")) if each is not None]
        self.connections.discard(self)
        transport.pause_reading()
        # uvicorn closes its transport when the application returns; that is another one from here on.
        self.transport = cast(asyncio.Transport, _NoTransport())
        self.scope["extensions"] = {}  # its reference to this object would keep both until a collection
        transport.set_protocol(protocol)
        return HandedOff(transport, _deflates(parser), parser, messages)


class _NoTransport:
    def close(self) -> None:
        """Do nothing: there is nothing left to close."""


def _deflates(parser: ServerProtocol) -> bool:
    return any(isinstance(each, PerMessageDeflate) and each.local_max_window_bits == 15 for each in parser.extensions)
