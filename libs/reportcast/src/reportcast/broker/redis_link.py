"""A link to Redis: what the client library raises, in our words, and a subscription that notices when it is dead."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

from redis.exceptions import AuthenticationError, RedisError, ResponseError

from reportcast.broker.errors import BrokerFenced, BrokerRefused, BrokerUnavailable

# A 16 MiB report takes this long at 1.7 MB/s, the slowest link to Redis that is good enough for one.
SOCKET_TIMEOUT_S = 10.0

# A subscription that is silent for so long is pinged. If the network does not even take the ping, the kernel ends the
# link; if it does, the answer may stand behind a large report and gets SOCKET_TIMEOUT_S.
PROBE_S = 2.0

_FENCED = "FENCED "

Payload = tuple[bytes, bytes]  # the pub/sub channel's name, and what was published there


@contextlib.contextmanager
def translated(url: str) -> Iterator[None]:
    """
    Raise what goes wrong in the block as a ``BrokerError``.

    Args:
        url: Of the broker, without credentials.
    """
    cancelled = _cancellations()
    try:
        yield
    except AuthenticationError as exc:  # a connection error to the library; trying again does not help
        raise BrokerRefused(url, "it wants another user name or password than REDIS_URL gives") from exc
    except ResponseError as exc:
        if (reason := str(exc)).startswith(_FENCED):
            raise BrokerFenced(url, reason.removeprefix(_FENCED)) from exc
        raise BrokerRefused(url, reason) from exc
    except (RedisError, OSError) as exc:
        raise BrokerUnavailable(url, str(exc) or type(exc).__name__) from exc
    except ValueError as exc:
        raise BrokerRefused(url, f"it holds what is not ours: {exc}") from exc
    # The library sends under asyncio.wait_for, which swallows a cancellation that comes in the tick in which the bytes
    # are sent (github.com/python/cpython/issues/86296); can go with Python 3.11.
    if _cancellations() > cancelled:
        raise asyncio.CancelledError


def _cancellations() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task else 0


@contextlib.asynccontextmanager
async def subscription(redis: Any, url: str, *names: str | bytes) -> AsyncIterator[AsyncIterator[Payload]]:
    """
    Receive every payload that is published to ``names`` after entry; the iterator raises when the link is dead.

    Args:
        redis: The library's client; its types are those of decoded replies, which are not asked for here.
        url: Of the broker, without credentials.
        names: Of the pub/sub channels; one at least.
    """
    # The library's own handler writes every message out for a log that nobody keeps: 60 ms of the event loop for 15 MB
    # (github.com/redis/redis-py/issues/4230); can go with redis-py 8.1.
    pubsub = redis.pubsub(push_handler_func=_as_it_is)
    try:
        with translated(url):
            await pubsub.subscribe(*names)
            # The answers to SUBSCRIBE: from here on nothing is missed.
            answers = [await pubsub.get_message(timeout=SOCKET_TIMEOUT_S) for _ in names]
        if None in answers:
            raise BrokerUnavailable(url, f"no answer to SUBSCRIBE within {SOCKET_TIMEOUT_S} s")
        yield _payloads(pubsub, url)
    finally:
        with contextlib.suppress(RedisError, OSError):
            await pubsub.aclose()


async def _as_it_is(response: Any) -> Any:
    return response


async def _payloads(pubsub: Any, url: str) -> AsyncIterator[Payload]:
    pinged = False
    while True:
        with translated(url):
            item: dict[str, Any] | None = await pubsub.get_message(timeout=SOCKET_TIMEOUT_S if pinged else PROBE_S)
            if item is None and not pinged:
                # The library does not see a half-open link by itself: nothing comes, and nothing fails.
                await pubsub.ping()
        if item is None and pinged:
            raise BrokerUnavailable(url, "no answer to a ping")
        pinged = item is None
        if item is None or item["type"] == "pong":
            continue
        if item["type"] != "message":
            # The library subscribed again by itself: something may have been missed.
            raise BrokerUnavailable(url, "the subscription was interrupted")
        yield item["channel"], item["data"]
