"""Following by WebSocket. Source: docs/protocol.md, Version 1."""

import contextlib
import json
from collections.abc import AsyncIterator

from reportcast.contracts.position import Position
from reportcast.contracts.v1_frames import SUBPROTOCOL
from websockets.asyncio.client import ClientConnection, connect
from websockets.protocol import State
from websockets.typing import Subprotocol

from reportcast_client.errors import Blocked, Lost
from reportcast_client.options import Options
from reportcast_client.transport import Alive, Link, WherePosition

# A gateway answers a close at once; one that is gone never does.
CLOSE_S = 1.0
# What a gateway takes; above it, it closes with 1009, and that would be for good (docs/protocol.md, Version 1).
MAX_MESSAGE_BYTES = 1024


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception:
        """Follow none: the token is for this gateway, and the other transports follow none."""
        return exc


def _listening(alive: Alive) -> type[ClientConnection]:
    class Listening(ClientConnection):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.state is State.OPEN:
                alive()

    return Listening


@contextlib.asynccontextmanager
async def open_websocket(url: str, options: Options, position: WherePosition, alive: Alive) -> AsyncIterator[Link]:
    """See ``Open``."""
    socket = await _Connect(
        options.websocket_url(url, position()),
        subprotocols=[Subprotocol(SUBPROTOCOL)],
        compression="deflate" if options.compression else None,
        additional_headers=options.headers,
        proxy=options.proxy or None,
        ssl=(options.tls or True) if url.startswith("https") else None,
        max_size=options.max_bytes,
        create_connection=_listening(alive),
        # The engine waits for what comes, and has one patience for all transports.
        open_timeout=None,
        ping_interval=None,
        close_timeout=CLOSE_S,
    )
    try:
        if socket.subprotocol != SUBPROTOCOL:
            raise Blocked(f"what answers does not speak {SUBPROTOCOL}")
        yield _WebSocketLink(socket, options)
    finally:
        # Not by ``async with``: that closes with 1011, an internal error, when the task is cancelled, which is the end.
        try:
            await socket.close()
        finally:
            socket.transport.abort()  # patience may end meanwhile


class _WebSocketLink:
    def __init__(self, socket: ClientConnection, options: Options) -> None:
        self._socket = socket
        self._options = options

    async def receive(self) -> bytes:
        """See ``Link``."""
        return await self._socket.recv(decode=False)

    def patience_s(self, heartbeat_s: float | None) -> float:
        """See ``Link``."""
        return self._options.timing.open_s if heartbeat_s is None else 2 * heartbeat_s

    async def follow(self, position: Position | None) -> None:
        """See ``Link``. A wish that is too long for a message is said by the next connection's address."""
        wish = json.dumps(self._wish(position), separators=(",", ":"))
        if len(wish) > MAX_MESSAGE_BYTES:  # json.dumps gives ASCII
            raise Lost("what is followed is too long to be asked for again on one connection", has_answered=True)
        await self._socket.send(wish)

    def _wish(self, position: Position | None) -> dict[str, object]:
        options = self._options
        words = {"statuses": list(options.statuses), "names": list(options.names)}
        at = {"epoch": position.epoch, "offset": position.offset} if position else {}
        wish = {"channel": options.channel, **words, **at}
        return {"type": "follow", **{name: value for name, value in wish.items() if value is not None and value != []}}
