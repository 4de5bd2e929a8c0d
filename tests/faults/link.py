"""A TCP link of ours between a service and Redis, which can be turned into a black hole."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.support.ports import HOST

PIECE = 65536


class Link:
    """
    Forwards connections to a port of this machine.

    While it is ``broken`` its connections stay open, new ones are taken, and nothing goes through, in either direction.

    Args:
        target: The port.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._whole = asyncio.Event()
        self._whole.set()

    def break_off(self) -> None:
        """Let nothing through."""
        self._whole.clear()

    def mend(self) -> None:
        """Go on with whatever came meanwhile."""
        self._whole.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, to the end of either side."""
        try:
            await self._whole.wait()
            far_reader, far_writer = await asyncio.open_connection(HOST, self._target)
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._forward(reader, far_writer))
                    tasks.create_task(self._forward(far_reader, writer))
            finally:
                far_writer.transport.abort()
        except* ConnectionError:
            pass  # an end like any other
        finally:
            writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(PIECE):
            await self._whole.wait()
            writer.write(piece)
            await writer.drain()
        raise ConnectionResetError  # for the other direction


@contextlib.asynccontextmanager
async def linked(port: int, target: int) -> AsyncIterator[Link]:
    """Have ``port`` lead to ``target`` until the end of the block."""
    link = Link(target)
    carried: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = tasks.create_task(link.carry(reader, writer))
        carried.add(task)
        task.add_done_callback(carried.discard)

    async with asyncio.TaskGroup() as tasks:
        server = await asyncio.start_server(accept, HOST, port)
        try:
            yield link
        finally:
            server.close()
            for task in carried:
                task.cancel()
