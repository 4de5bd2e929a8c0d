"""A network between a test and Redis, that can fail while both are well."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.support.ports import free_port
from tests.support.wait import TIMEOUT_S

_PIECE = 65_536


class Link:
    """
    A TCP proxy that forwards or not: as in a network that drops packets, connections stay open and no error comes.

    Attributes:
        url: Of Redis, by way of it.
        is_black_hole: Nothing gets through, either way; what comes meanwhile is lost for ever.
        is_mute_to_subscribers: Nothing gets through to those who have subscribed.
    """

    def __init__(self, url: str) -> None:
        self.is_black_hole = self.is_mute_to_subscribers = False
        self._redis_port = urlsplit(url).port
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"

    async def run(self, is_up: threading.Event, stop: asyncio.Event) -> None:
        """Forward until ``stop`` is set."""
        server = await asyncio.start_server(self._forward, "127.0.0.1", self._port)
        is_up.set()
        await stop.wait()
        server.close()

    async def _forward(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        redis, to_redis = await asyncio.open_connection("127.0.0.1", self._redis_port)
        has_subscribed = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._to_redis(client, to_redis, has_subscribed))
                ways.create_task(self._to_client(redis, to_client, has_subscribed))
        except* OSError:
            pass  # one side has closed, and so does the other
        finally:
            to_client.close()
            to_redis.close()

    async def _to_redis(
        self, client: asyncio.StreamReader, to_redis: asyncio.StreamWriter, has_subscribed: asyncio.Event
    ) -> None:
        while piece := await client.read(_PIECE):
            if b"SUBSCRIBE" in piece:
                has_subscribed.set()
            if not self.is_black_hole:
                to_redis.write(piece)
                await to_redis.drain()
        raise ConnectionResetError

    async def _to_client(
        self, redis: asyncio.StreamReader, to_client: asyncio.StreamWriter, has_subscribed: asyncio.Event
    ) -> None:
        while piece := await redis.read(_PIECE):
            if not self.is_black_hole and not (self.is_mute_to_subscribers and has_subscribed.is_set()):
                to_client.write(piece)
                await to_client.drain()
        raise ConnectionResetError


@contextlib.contextmanager
def link_to(url: str) -> Iterator[Link]:
    """Put a network before the Redis at ``url`` until the end of the block; it has a thread of its own."""
    link, is_up, loop, stop = Link(url), threading.Event(), asyncio.new_event_loop(), asyncio.Event()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        thread = threading.Thread(target=runner.run, args=[link.run(is_up, stop)])
        thread.start()
        assert is_up.wait(TIMEOUT_S)
        try:
            yield link
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
