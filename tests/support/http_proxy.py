"""What may stand between a client and a gateway, and have its own opinion of what passes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

_PIECE = 65_536
_ANSWER = "HTTP/1.1 {} No\r\nContent-Type: text/html\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>"


class HttpProxy:
    """
    A proxy that looks at the first request of each connection, and forwards the rest as it comes.

    Attributes:
        url: Of the gateway, by way of it.
        refused: By path: the status that it answers by itself.
        swallowed: Paths that get no answer at all.
        is_silent: Nothing gets through any more, and no error comes.
        asked: The paths that were asked for, with their query.
    """

    def __init__(self, gateway: str) -> None:
        self.url = ""
        self.refused: dict[str, int] = {}
        self.swallowed: set[str] = set()
        self.is_silent = False
        self.asked: list[str] = []
        self._gateway = urlsplit(gateway)
        self._clients: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """End all connections, without a word."""
        for client in self._clients:
            client.transport.abort()

    async def serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self._clients.add(to_client)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await client.readuntil(b"\r\n\r\n")
            self.asked.append(head.split()[1].decode())
            path = urlsplit(self.asked[-1]).path
            if path in self.refused:
                to_client.write(_ANSWER.format(self.refused[path]).encode())
            elif path in self.swallowed:
                await client.read()
            else:
                await self._forward(head, client, to_client)
        self._clients.discard(to_client)
        to_client.close()

    async def _forward(self, head: bytes, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        gateway, to_gateway = await asyncio.open_connection(self._gateway.hostname, self._gateway.port)
        to_gateway.write(head)
        with contextlib.suppress(BaseExceptionGroup):  # one side has closed, and so does the other
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pass_on(client, to_gateway))
                ways.create_task(self._pass_on(gateway, to_client))
        to_gateway.close()

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while piece := await source.read(_PIECE):
            if not self.is_silent:
                target.write(piece)
                await target.drain()
        raise ConnectionResetError


@contextlib.asynccontextmanager
async def http_proxy(gateway: str) -> AsyncIterator[HttpProxy]:
    """Put a proxy before a gateway until the end of the block."""
    proxy = HttpProxy(gateway)
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", 0) as server:
        proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield proxy
        proxy.cut()
