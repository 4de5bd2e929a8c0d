"""
All that depends on how uvicorn is built inside: its minor version is pinned, and a contract test holds it to this.

- ``Server`` stops when an event says so, and lets a drain go before.
- ``WebSocketProtocol`` lets the application accept as usual, and then moves the transport to a protocol of its own, so
  that everything uvicorn keeps for a connection is freed.

Source: docs/adr/0010-the-hand-off.md.
"""

import asyncio
import contextlib
import zlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, NamedTuple, cast

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import NegotiationError
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.http11 import Request
from websockets.typing import ExtensionParameter

TICK_S = 1.0
# Name of the ASGI extension: a ``HandOff``, for one connection.
HAND_OFF = "reportcast.hand_off"


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
        self.conn.available_extensions = [_SharedDeflateFactory()]

    def handle_connect(self, event: Request) -> None:
        """Offer the hand-off beside what uvicorn offers."""
        super().handle_connect(event)
        if not self.close_sent:
            cast(dict[str, Any], self.scope["extensions"])[HAND_OFF] = self._hand_off

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
