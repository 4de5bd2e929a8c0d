"""The same for programs without an event loop."""

import asyncio
import atexit
import concurrent.futures
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, ParamSpec, TypeVar

from reportcast_client.events import Connected, Event
from reportcast_client.feed import Feed, connect
from reportcast_client.frames import Status
from reportcast_client.report import Report

P = ParamSpec("P")
T = TypeVar("T")


class _Following:
    """
    A feed whose event loop runs in a thread of its own.

    The thread does not keep the process from ending: a program may leave a loop over reports without ending its block.
    """

    def __init__(self, following: connect) -> None:
        self._following = following
        self._begun: concurrent.futures.Future[Feed] = concurrent.futures.Future()
        self._loop = asyncio.new_event_loop()
        self._ending = asyncio.Event()
        # Between asking whether it ends and giving the loop something to do it must not end: nobody would do it.
        self._lock = threading.Lock()
        self._is_ending = False
        self._thread = threading.Thread(target=self._run, name="reportcast-client", daemon=True)

    def begin(self) -> Feed:
        """Follow."""
        # What is registered so runs while there are threads yet.
        atexit.register(self.end)
        self._thread.start()
        return self._begun.result()

    def call(self, asked: Coroutine[Any, Any, T]) -> T:
        """
        Wait for what runs in the thread.

        Raises:
            StopAsyncIteration: If nobody follows any more.
        """
        with self._lock:
            if self._is_ending:
                asked.close()
                raise StopAsyncIteration
            waiting = asyncio.run_coroutine_threadsafe(asked, self._loop)
        try:
            return waiting.result()
        except concurrent.futures.CancelledError:
            raise StopAsyncIteration from None
        finally:
            waiting.cancel()

    def end(self) -> None:
        """Follow no more; may come again."""
        atexit.unregister(self.end)
        with self._lock:
            if not self._is_ending:
                self._is_ending = True
                self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._follow())

    async def _follow(self) -> None:
        async with self._following as feed:
            self._begun.set_result(feed)
            await self._ending.wait()


class SyncFeed:
    """As ``Feed``, whose event loop runs in a thread of its own; made by ``connect_sync``."""

    def __init__(self, feed: Feed, following: _Following) -> None:
        self._feed = feed
        self._following = following

    @property
    def report(self) -> Report | None:
        """See ``Feed``."""
        return self._feed.report

    @property
    def status(self) -> Status | None:
        """See ``Feed``."""
        return self._feed.status

    @property
    def connected(self) -> Connected | None:
        """See ``Feed``."""
        return self._feed.connected

    def __iter__(self) -> Iterator[Report]:
        return self._each(aiter(self._feed))

    def events(self) -> Iterator[Event]:
        """See ``Feed``."""

        async def events() -> AsyncIterator[Event]:
            return self._feed.events()

        try:
            return self._each(self._following.call(events()))
        except StopAsyncIteration:
            return iter(())

    def _each(self, source: AsyncIterator[T]) -> Iterator[T]:
        async def following() -> T:
            return await anext(source)

        while True:
            try:
                yield self._following.call(following())
            except StopAsyncIteration:
                return


def _blocking(make: Callable[P, connect]) -> Callable[P, contextlib.AbstractContextManager[SyncFeed]]:
    @contextlib.contextmanager
    def connect_sync(*args: P.args, **options: P.kwargs) -> Iterator[SyncFeed]:
        following = _Following(make(*args, **options))
        try:
            yield SyncFeed(following.begin(), following)
        finally:
            following.end()

    connect_sync.__doc__ = "Follow a channel from a program without an event loop; takes what ``connect`` takes."
    return connect_sync


connect_sync = _blocking(connect)
