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
        # The event loop keeps no hold of its tasks.
        self._promised: set[asyncio.Task[bytes]] = set()
        self._running: dict[tuple[PreparedBody, Form], asyncio.Future[bytes]] = {}
        # Its own, so that nothing else that is done in threads keeps an update waiting.
        self._threads = ThreadPoolExecutor(THREADS, "compressor")
        # For what only some clients wait for; everybody else's must not wait behind it.
        self._aside = ThreadPoolExecutor(1, "aside")

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

    def then(self, body: PreparedBody, encoding: Encoding, use: Callable[[bytes], None]) -> None:
        """Call ``use`` with what ``encoded`` gives: at once where that costs little."""
        form: Form = "zstd" if encoding is Encoding.ZSTD else "gzip"
        if encoding is Encoding.IDENTITY:
            use(body.raw)
        elif not body.is_large or body.is_made(form):
            use(getattr(body, form))
        else:
            made = asyncio.get_running_loop().create_task(self.encoded(body, encoding))
            self._promised.add(made)
            made.add_done_callback(self._promised.discard)
            made.add_done_callback(lambda done: None if done.cancelled() else use(done.result()))

    async def run(self, work: Callable[[], T]) -> T:
        """Give what ``work`` gives or raises, done in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def run_aside(self, work: Callable[[], T]) -> T:
        """Do as ``run`` does, one after the other, and at the expense of nobody who waits for something else."""
        return await asyncio.get_running_loop().run_in_executor(self._aside, work)

    def close(self) -> None:
        """Begin nothing more."""
        for threads in (self._threads, self._aside):
            threads.shutdown(wait=False, cancel_futures=True)

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
