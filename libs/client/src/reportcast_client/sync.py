"""The same for programs without an event loop."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import ParamSpec, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

from reportcast_client.events import Connected, Event
from reportcast_client.feed import Feed, connect
from reportcast_client.frames import Status
from reportcast_client.report import Report

P = ParamSpec("P")
T = TypeVar("T")


class SyncFeed:
    """As ``Feed``, whose event loop runs in a thread of its own; made by ``connect_sync``."""

    def __init__(self, feed: Feed, portal: BlockingPortal) -> None:
        self._feed = feed
        self._portal = portal

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
        return self._each(self._portal.call(self._feed.events))

    def _each(self, source: AsyncIterator[T]) -> Iterator[T]:
        while True:
            try:
                yield self._portal.call(anext, source)
            except StopAsyncIteration:
                return


def _blocking(make: Callable[P, connect]) -> Callable[P, contextlib.AbstractContextManager[SyncFeed]]:
    @contextlib.contextmanager
    def connect_sync(*args: P.args, **options: P.kwargs) -> Iterator[SyncFeed]:
        following = make(*args, **options)
        with start_blocking_portal() as portal, portal.wrap_async_context_manager(following) as feed:
            yield SyncFeed(feed, portal)

    connect_sync.__doc__ = "Follow a channel from a program without an event loop; takes what ``connect`` takes."
    return connect_sync


connect_sync = _blocking(connect)
