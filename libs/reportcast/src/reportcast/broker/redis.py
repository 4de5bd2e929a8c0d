"""
The Redis broker: the only module that knows Redis' client library.

The library is told not to retry: it would reconnect a lost subscription in silence, and what was published in
between would be missing without a trace. Those who use the broker retry, and read the state again.
"""

import contextlib
import importlib.resources
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from reportcast.broker.base import ChannelState, HistoryLimits, Refresh, Stored
from reportcast.broker.errors import BrokerRefused, BrokerUnavailable
from reportcast.broker.keys import keys_of
from reportcast.contracts.messages import (
    Message,
    MessageError,
    Publication,
    Refreshed,
    Snapshot,
    Source,
    decode_message,
    encode_message,
    encode_stamps,
)
from reportcast.contracts.position import Position

_SCRIPT = importlib.resources.files("reportcast.broker").joinpath("publish.lua").read_text()
_REFRESH = b"refresh"

# A 16 MiB report takes this long at 1.7 MB/s, the slowest link to Redis that is good enough for one.
SOCKET_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 2.0

# A subscription that is silent for so long is pinged. If the network does not even take the ping, the kernel ends the
# link after USER_TIMEOUT_MS; if it does, the answer may stand behind a large report and gets SOCKET_TIMEOUT_S.
PROBE_S = 2.0
USER_TIMEOUT_MS = 2500


class RedisBroker:
    """
    A ``Broker`` on one Redis server.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``.
        limits: Of each channel's history.
        on_bad_message: Called with the reason for each message that is none of ours.

    Raises:
        ValueError: If the URL is no such address.
    """

    def __init__(
        self,
        url: str,
        limits: HistoryLimits | None = None,
        on_bad_message: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self._url = redact(url)
        self._limits = limits or HistoryLimits()
        self._on_bad_message = on_bad_message
        # Any: the library's types allow for decoded replies, which are not asked for here.
        self._redis: Any = redis.asyncio.Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=SOCKET_TIMEOUT_S,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            client_name="reportcast",
            **_tcp_options(url),
        )
        self._publish: Any = self._redis.register_script(_SCRIPT)

    async def publish(self, channel: str, publication: Publication) -> Stored:
        keys = keys_of(channel)
        args = [
            keys.messages,
            secrets.token_hex(8),
            publication.digest,
            publication.stem,
            encode_stamps(publication),
            publication.body,
            self._limits.max_reports,
            self._limits.max_bytes,
        ]
        with self._translated():
            epoch, offset, changed = await self._publish([keys.state, keys.history, keys.names], args)
        return Stored(Position(epoch.decode(), int(offset)), changed=bool(changed))

    async def state(self, channel: str) -> ChannelState:
        with self._translated():
            fields = await self._redis.hmget(keys_of(channel).state, ["message", "source"])
        snapshot, source = (self._decode(field) for field in fields)
        return ChannelState(
            snapshot if isinstance(snapshot, Snapshot) else None,
            source if isinstance(source, Source) else None,
        )

    async def position(self, channel: str) -> Position | None:
        with self._translated():
            epoch, offset = await self._redis.hmget(keys_of(channel).state, ["epoch", "offset"])
            return Position(epoch.decode(), int(offset)) if epoch and offset else None

    async def set_source(self, channel: str, source: Source) -> None:
        keys = keys_of(channel)
        message = encode_message(source)
        with self._translated():
            async with self._redis.pipeline(transaction=True) as transaction:
                transaction.hset(keys.state, "source", message)
                transaction.publish(keys.messages, message)
                await transaction.execute()

    async def announce_refreshed(self, channel: str) -> None:
        with self._translated():
            await self._redis.publish(keys_of(channel).messages, encode_message(Refreshed()))

    @contextlib.asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[AsyncIterator[Message]]:
        async with self._subscription(keys_of(channel).messages) as payloads:
            yield self._messages(payloads)

    async def request_refresh(self, channel: str) -> Refresh:
        keys = keys_of(channel)
        with self._translated():
            if not await self._redis.set(keys.throttle, b"", nx=True, px=1000):
                return Refresh.TOO_SOON
            heard = await self._redis.publish(keys.requests, _REFRESH)
        return Refresh.REQUESTED if heard else Refresh.NO_WATCHER

    @contextlib.asynccontextmanager
    async def refresh_requests(self, channel: str) -> AsyncIterator[AsyncIterator[None]]:
        async with self._subscription(keys_of(channel).requests) as payloads:
            yield self._requests(payloads)

    async def history(self, channel: str) -> list[str]:
        with self._translated():
            names = await self._redis.zrevrange(keys_of(channel).names, 0, -1)
            return [name.decode() for name in names]

    async def past_report(self, channel: str, name: str) -> bytes | None:
        keys = keys_of(channel)
        with self._translated():
            offset = await self._redis.zscore(keys.names, name)
            if offset is None:
                return None
            entries = await self._redis.xrange(keys.history, f"{int(offset)}-0", f"{int(offset)}-0")
        snapshot = self._decode(entries[0][1][b"message"]) if entries else None
        return snapshot.body if isinstance(snapshot, Snapshot) else None

    async def close(self) -> None:
        with contextlib.suppress(RedisError, OSError):
            await self._redis.aclose()

    @contextlib.asynccontextmanager
    async def _subscription(self, name: str) -> AsyncIterator[AsyncIterator[bytes]]:
        pubsub = self._redis.pubsub()
        try:
            with self._translated():
                await pubsub.subscribe(name)
                # The answer to SUBSCRIBE: from here on nothing is missed.
                answer = await pubsub.get_message(timeout=SOCKET_TIMEOUT_S)
            if answer is None:
                raise BrokerUnavailable(self._url, f"no answer to SUBSCRIBE within {SOCKET_TIMEOUT_S} s")
            yield self._payloads(pubsub)
        finally:
            with contextlib.suppress(RedisError, OSError):
                await pubsub.aclose()

    async def _payloads(self, pubsub: Any) -> AsyncIterator[bytes]:
        pinged = False
        while True:
            with self._translated():
                item: dict[str, Any] | None = await pubsub.get_message(timeout=SOCKET_TIMEOUT_S if pinged else PROBE_S)
                if item is None and not pinged:
                    # The library does not see a half-open link by itself: nothing comes, and nothing fails.
                    await pubsub.ping()
            if item is None and pinged:
                raise BrokerUnavailable(self._url, "no answer to a ping")
            pinged = item is None
            if item is None or item["type"] == "pong":
                continue
            if item["type"] != "message":
                # The library subscribed again by itself: something may have been missed.
                raise BrokerUnavailable(self._url, "the subscription was interrupted")
            yield item["data"]

    async def _messages(self, payloads: AsyncIterator[bytes]) -> AsyncIterator[Message]:
        async for payload in payloads:
            message = self._decode(payload)
            if message is not None:
                yield message

    async def _requests(self, payloads: AsyncIterator[bytes]) -> AsyncIterator[None]:
        async for payload in payloads:
            if payload == _REFRESH:
                yield None
            else:
                self._on_bad_message("a request that is not 'refresh'")

    def _decode(self, raw: bytes | None) -> Message | None:
        if raw is None:
            return None
        try:
            return decode_message(raw)
        except MessageError as exc:
            self._on_bad_message(str(exc))
            return None

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except AuthenticationError as exc:  # a connection error to the library; trying again does not help
            raise BrokerRefused(self._url, "it wants another user name or password than REDIS_URL gives") from exc
        except ResponseError as exc:
            raise BrokerRefused(self._url, str(exc)) from exc
        except (RedisError, OSError) as exc:
            raise BrokerUnavailable(self._url, str(exc) or type(exc).__name__) from exc
        except ValueError as exc:
            raise BrokerRefused(self._url, f"it holds what is not ours: {exc}") from exc


def _tcp_options(url: str) -> dict[str, Any]:
    if url.startswith("unix:") or not hasattr(socket, "TCP_USER_TIMEOUT"):
        return {}
    return {"socket_keepalive": True, "socket_keepalive_options": {socket.TCP_USER_TIMEOUT: USER_TIMEOUT_MS}}


def redact(url: str) -> str:
    """Give the URL without user name, password and query, fit for a log."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
