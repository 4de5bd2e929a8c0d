"""What stands between the browser and the gateway, and lets through what it likes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from tests.support.http_proxy import HttpProxy
from tests.support.ports import HOST

_PIECE = 65_536
_SENTENCE = b'{"error":"this takes a token"}'
_DENIED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (
    len(_SENTENCE),
    _SENTENCE,
)


class Way(HttpProxy):
    """
    A proxy that sees every request: a connection carries no more than one.

    Attributes:
        url: Of the page, by way of it.
        denied: Paths that are answered 401 in the gateway's words.
    """

    def __init__(self, gateway: str) -> None:
        super().__init__(gateway)
        self.denied: set[str] = set()
        self._forgotten = 0

    def block(self, *paths: str) -> None:
        """Refuse these from now on, as a proxy does that knows better, and end what is open."""
        self.refused.update(dict.fromkeys(paths, 501))
        self.cut()

    def deny(self, path: str) -> None:
        """Answer this as a gateway does to whom it does not let read, and end what is open."""
        self.denied.add(path)
        self.cut()

    def unblock(self) -> None:
        """Let everything through."""
        self.refused.clear()
        self.denied.clear()

    def forget(self) -> None:
        """Let nothing through any more of what is open now, and say nothing."""
        self._forgotten += 1

    async def _forward(self, head: bytes, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        if urlsplit(head.split()[1].decode()).path in self.denied:
            to_client.write(_DENIED)
            return
        head = head.replace(b"Connection: keep-alive", b"Connection: close")
        await super()._forward(head, client, to_client)

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        since = self._forgotten
        while piece := await source.read(_PIECE):
            if since == self._forgotten:
                target.write(piece)
                await target.drain()
        raise ConnectionResetError


@contextlib.asynccontextmanager
async def way_to(gateway: str) -> AsyncIterator[Way]:
    """Have a way to the gateway until the end of the block."""
    way = Way(gateway)
    async with await asyncio.start_server(way.serve, HOST, 0) as server:
        way.url = f"http://{HOST}:{server.sockets[0].getsockname()[1]}/"
        yield way
        way.cut()
