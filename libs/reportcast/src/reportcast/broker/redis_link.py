"""A link to Redis: what the client library raises, in our words, and a subscription that notices when it is dead."""

import asyncio
import contextlib
import secrets
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from typing import Any

from redis.exceptions import (
    AskError,
    AuthenticationError,
    ClusterDownError,
    MasterDownError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from reportcast.broker.errors import BrokerError, BrokerFenced, BrokerRefused, BrokerUnavailable

# A 16 MiB report takes this long at 1.7 MB/s, the slowest link to Redis that is good enough for one.
SOCKET_TIMEOUT_S = 10.0

# A subscription that is silent for so long is probed ...
PROBE_S = 1.5
# ... and gets so long to say anything, as does whatever carries no report: what is published is small (INLINE_BYTES).
ANSWER_S = 2.0

# Joining takes a few round trips; given up so soon, the next attempt comes within two seconds of the end of a fault.
JOIN_S = 1.25

# Many channels notice the same fault.
DROP_AGAIN_S = 1.0
_dropped_s: weakref.WeakKeyDictionary[Any, float] = weakref.WeakKeyDictionary()

_FENCED = "FENCED "

# What a server says that is not yet, or not any more, the one to ask; MOVED is an AskError, too.
_ELSEWHERE = (AskError, ClusterDownError, MasterDownError, ReadOnlyError, TryAgainError)

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
    except _ELSEWHERE as exc:
        raise BrokerUnavailable(
            url, f"another server has slot {exc}" if isinstance(exc, AskError) else str(exc)
        ) from exc
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
async def prompt(url: str, what: str, within_s: float) -> AsyncIterator[None]:
    """
    Do as ``translated`` does, and end the block when it takes too long.

    Args:
        url: Of the broker, without credentials.
        what: Is waited for, as in "answer to a probe".
        within_s: That long.
    """
    with translated(url):
        try:
            async with asyncio.timeout(within_s):
                yield
        except TimeoutError as exc:
            raise BrokerUnavailable(url, f"no {what} within {within_s:g} s") from exc


@contextlib.asynccontextmanager
async def subscription(
    server: Callable[[], Awaitable[Any]], url: str, probes: str, *names: str | bytes
) -> AsyncIterator[AsyncIterator[Payload]]:
    """
    Receive every payload that is published to ``names`` after entry; the iterator raises when the link is dead.

    Args:
        server: Gives the client of the one where it is published now, which can become another one.
        url: Of the broker, without credentials.
        probes: Begin of the name of the pub/sub channel on which the link is tried.
        names: Of the pub/sub channels; one at least.
    """
    # Nobody else can know it, so nothing else comes there.
    probe = f"{probes}:{secrets.token_hex(16)}".encode()
    async with prompt(url, "answer", ANSWER_S):
        redis = await server()
    # The library's own handler writes every message out for a log that nobody keeps: 60 ms of the event loop for 15 MB
    # (github.com/redis/redis-py/issues/4230).
    pubsub = redis.pubsub(push_handler_func=_as_it_is)
    try:
        async with prompt(url, "answer to SUBSCRIBE", JOIN_S):
            await pubsub.subscribe(*names, probe)
            for _ in (*names, probe):  # the answers: from here on nothing is missed
                await pubsub.get_message(timeout=None)
        yield _payloads(server, pubsub, url, probe)
    except BrokerUnavailable as exc:
        if isinstance(exc.__cause__, TimeoutError):
            await _drop_idle(redis)
        raise
    finally:
        with contextlib.suppress(RedisError, OSError):
            await pubsub.aclose()


async def _drop_idle(redis: Any) -> None:
    """Close what is idle: it is as dead as what gave no answer, perhaps, and would not tell either."""
    now_s = asyncio.get_running_loop().time()
    if now_s < _dropped_s.get(redis, 0.0) + DROP_AGAIN_S:
        return
    _dropped_s[redis] = now_s
    pool = redis.connection_pool
    (count, _), _ = pool.get_connection_count()
    # Taken out first, or others would get them while they are closed.
    for connection in [pool.get_available_connection() for _ in range(count)]:
        with contextlib.suppress(RedisError, OSError):
            await connection.disconnect(nowait=True)
        await pool.release(connection)


@contextlib.asynccontextmanager
async def together(subscriptions: Collection[AsyncIterator[Payload]]) -> AsyncIterator[AsyncIterator[Payload]]:
    """Receive what comes by several subscriptions; the first that is dead ends them all."""
    heard: asyncio.Queue[Payload | BrokerError] = asyncio.Queue(maxsize=1)  # full: Redis waits, as with one

    async def listen(payloads: AsyncIterator[Payload]) -> None:
        try:
            async for payload in payloads:
                await heard.put(payload)
        except BrokerError as error:
            await heard.put(error)

    failed: BrokerError | None = None
    async with asyncio.TaskGroup() as tasks:
        listening = [tasks.create_task(listen(payloads)) for payloads in subscriptions]
        try:
            yield _taken(heard)
        except BrokerError as error:
            failed = error  # raised below, or the group would wrap it
        finally:
            for task in listening:
                task.cancel()
    if failed:
        raise failed


async def _taken(heard: asyncio.Queue[Payload | BrokerError]) -> AsyncIterator[Payload]:
    while True:
        payload = await heard.get()
        if isinstance(payload, BrokerError):
            raise payload
        yield payload


async def _as_it_is(response: Any) -> Any:
    return response


async def _payloads(
    server: Callable[[], Awaitable[Any]], pubsub: Any, url: str, probe: bytes
) -> AsyncIterator[Payload]:
    while True:
        with translated(url):
            item: dict[str, Any] | None = await pubsub.get_message(timeout=PROBE_S)
        if item is None:
            item = await _answer(server, pubsub, url, probe)
        if item["type"] != "message":
            # The library subscribed again by itself: something may have been missed.
            raise BrokerUnavailable(url, "the subscription was interrupted")
        if item["channel"] != probe:
            yield item["channel"], item["data"]


async def _answer(server: Callable[[], Awaitable[Any]], pubsub: Any, url: str, probe: bytes) -> dict[str, Any]:
    """Give what comes next, if anything does: the library does not notice a half-open link by itself."""
    async with prompt(url, "answer to a probe", ANSWER_S):
        # By the way of the reports, so that all of it is tried.
        if not await (await server()).publish(probe, b""):
            raise BrokerUnavailable(url, "it knows nothing of the subscription any more")
        item: dict[str, Any] = await pubsub.get_message(timeout=None)
        return item
