"""Compresses bodies: small ones at once, large ones in a thread, and each once, however many ask at the same time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from reportcast.contracts.body import Encoding, Form, PreparedBody

T = TypeVar("T")

# One for the shelf, which has one report encoded at a time, and two for the newest: for updates and for HTTP.
THREADS = 3


class Compressor:
    """Keeps the event loop free of what takes longer than a millisecond."""

    def __init__(self) -> None:
        self._running: dict[tuple[PreparedBody, Form], asyncio.Future[bytes]] = {}
        # Its own, so that nothing else that is done in threads keeps an update waiting.
        self._threads = ThreadPoolExecutor(THREADS, "compressor")

    async def encoded(self, body: PreparedBody, encoding: Encoding) -> bytes:
        """Give ``body`` as ``encoding`` has it."""
        match encoding:
            case Encoding.IDENTITY:
                return body.raw
            case Encoding.ZSTD:
                return await self._form(body, "zstd")
            case Encoding.GZIP:
                await self.deflated(body)
                return await self._form(body, "gzip")

    async def deflated(self, body: PreparedBody) -> bytes:
        """Give the blocks from which frames and the gzip file are cut."""
        return await self._form(body, "deflated")

    async def run(self, work: Callable[[], T]) -> T:
        """Give what ``work`` gives or raises, done in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _form(self, body: PreparedBody, form: Form) -> bytes:
        if not body.is_large or body.is_made(form):
            made: bytes = getattr(body, form)
            return made
        running = self._running.get((body, form))
        if running is None:
            running = asyncio.get_running_loop().run_in_executor(self._threads, getattr, body, form)
            self._running[body, form] = running
            running.add_done_callback(lambda _: self._running.pop((body, form)))
        # One who goes away must not take it from the others.
        return await asyncio.shield(running)
