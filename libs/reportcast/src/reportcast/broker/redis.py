"""
The Redis broker: the only module that knows Redis' client library.

The library is told not to retry: it would reconnect a lost subscription in silence, and what was published in
between would be missing without a trace. Those who use the broker retry, and read the state again.
"""

import contextlib
import importlib.resources
import re
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from reportcast.broker.base import (
    LEASE_S,
    ChannelState,
    DeltaLimits,
    HistoryLimits,
    Lease,
    Refresh,
    RejectionLimits,
    Stored,
)
from reportcast.broker.errors import BrokerError
from reportcast.broker.keys import keys_of
from reportcast.broker.redis_link import ANSWER_S, SOCKET_TIMEOUT_S, Payload, prompt, subscription, translated
from reportcast.contracts.messages import (
    INLINE_BYTES,
    Delta,
    Message,
    MessageError,
    Publication,
    Refreshed,
    Rejection,
    Snapshot,
    Source,
    decode_message,
    encode_message,
    encode_stamps,
)
from reportcast.contracts.position import Position

_SCRIPTS = importlib.resources.files("reportcast.broker")
_REFRESH = b"refresh"
# Each half of an id is below 2**64; Redis refuses to look for a greater one.
_REJECTION_ID = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")

CONNECT_TIMEOUT_S = 1.0

# If the network does not even take a ping, the kernel ends the link after so long.
USER_TIMEOUT_MS = 2500


class RedisBroker:
    """
    A ``Broker`` on one Redis server.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``.
        limits: Of each channel's history.
        on_bad_message: Called with the reason for each message that is none of ours.
        rejection_limits: Of each channel's refused contents.
        delta_limits: Of each channel's changes.

    Raises:
        ValueError: If the URL is no such address.
    """

    def __init__(
        self,
        url: str,
        limits: HistoryLimits | None = None,
        on_bad_message: Callable[[str], None] = lambda reason: None,
        rejection_limits: RejectionLimits | None = None,
        delta_limits: DeltaLimits | None = None,
    ) -> None:
        self._url = redact(url)
        self._limits = limits or HistoryLimits()
        self._rejection_limits = rejection_limits or RejectionLimits()
        self._delta_limits = delta_limits or DeltaLimits()
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
        self._publish, self._read, self._lease, self._set_source, self._reject = (
            self._redis.register_script(_SCRIPTS.joinpath(f"{name}.lua").read_text())
            for name in ("publish", "read", "lease", "source", "reject")
        )

    async def lease(self, channels: Sequence[str], holder: str) -> list[Lease | BrokerError]:
        return [self._lease_of(reply) for reply in await self._leases(channels, holder, LEASE_S)]

    async def release(self, channels: Sequence[str], holder: str) -> None:
        await self._leases(channels, holder, 0)

    async def _leases(self, channels: Sequence[str], holder: str, ttl_s: float) -> list[Any]:
        keys = [key for each in map(keys_of, channels) for key in (each.lease, each.state)]
        async with self._prompt():
            replies: list[Any] = await self._lease(keys, [holder, int(ttl_s * 1000)])
            return replies

    def _lease_of(self, reply: Any) -> Lease | BrokerError:
        try:
            with self._translated():
                if isinstance(reply, Exception):
                    raise reply
                return _lease_of(*reply)
        except BrokerError as error:
            return error

    async def publish(self, channel: str, publication: Publication, fence: int | None = None) -> Stored:
        return await self._store(channel, publication, fence, keys_of(channel).messages)

    async def restore(self, channel: str, publication: Publication, fence: int) -> bool:
        return (await self._store(channel, publication, fence, "")).changed

    async def _store(self, channel: str, publication: Publication, fence: int | None, messages: str) -> Stored:
        keys = keys_of(channel)
        args = [
            messages,
            _argument(fence),
            secrets.token_hex(8),
            publication.digest,
            publication.stem,
            encode_stamps(publication),
            publication.body,
            publication.base,
            publication.delta,
            INLINE_BYTES,
            self._limits.max_reports,
            self._limits.max_bytes,
            self._delta_limits.max_deltas,
            self._delta_limits.max_bytes,
            self._delta_limits.max_age_s,
        ]
        named = [keys.state, keys.history, keys.names, keys.deltas]
        with self._translated():
            epoch, offset, changed, name = await self._publish(named, args)
            return Stored(Position(epoch.decode(), int(offset)), changed=bool(changed), name=name.decode())

    async def state(self, channel: str) -> ChannelState:
        keys = keys_of(channel)
        with self._translated():
            fields = await self._read([keys.state, keys.deltas])
        snapshot, source, *deltas = (self._decode(field) for field in fields)
        return ChannelState(
            snapshot if isinstance(snapshot, Snapshot) else None,
            source if isinstance(source, Source) else None,
            tuple(delta for delta in deltas if isinstance(delta, Delta)),
        )

    async def position(self, channel: str) -> Position | None:
        async with self._prompt():
            epoch, offset = await self._redis.hmget(keys_of(channel).state, ["epoch", "offset"])
            return Position(epoch.decode(), int(offset)) if epoch and offset else None

    async def set_source(self, channel: str, source: Source, fence: int | None = None) -> None:
        keys = keys_of(channel)
        async with self._prompt():
            await self._set_source([keys.state], [keys.messages, _argument(fence), encode_message(source)])

    async def set_sources(self, sources: Mapping[str, tuple[Source, int]]) -> None:
        async with self._prompt(), self._redis.pipeline(transaction=False) as pipeline:
            for channel, (source, fence) in sources.items():
                keys = keys_of(channel)
                await self._set_source([keys.state], [keys.messages, fence, encode_message(source)], pipeline)
            await pipeline.execute(raise_on_error=False)

    async def reject(self, channel: str, rejection: Rejection, content: bytes) -> None:
        keys, limits = keys_of(channel), self._rejection_limits
        args: list[Any] = [limits.max_rejections, msgspec.json.encode(rejection), content[: limits.max_bytes]]
        with self._translated():
            await self._reject([keys.rejections, keys.rejected], args)

    async def rejections(self, channel: str) -> list[Rejection]:
        with self._translated():
            entries = await self._redis.xrevrange(keys_of(channel).rejections)
            return [
                msgspec.structs.replace(msgspec.json.decode(fields[b"record"], type=Rejection), id=name.decode())
                for name, fields in entries
            ]

    async def rejected_content(self, channel: str, rejection_id: str) -> bytes | None:
        if not _REJECTION_ID.fullmatch(rejection_id):
            return None
        with self._translated():
            entries = await self._redis.xrange(keys_of(channel).rejected, rejection_id, rejection_id)
        content: bytes | None = entries[0][1][b"content"] if entries else None
        return content

    async def announce_refreshed(self, channel: str) -> None:
        async with self._prompt():
            await self._redis.publish(keys_of(channel).messages, encode_message(Refreshed()))

    @contextlib.asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[AsyncIterator[Message]]:
        keys = keys_of(channel)
        async with subscription(self._redis, self._url, keys.probes, keys.messages) as payloads:
            yield self._messages(payloads)

    async def request_refresh(self, channel: str) -> Refresh:
        keys = keys_of(channel)
        async with self._prompt():
            if not await self._redis.set(keys.throttle, b"", nx=True, px=1000):
                return Refresh.TOO_SOON
            heard = await self._redis.publish(keys.requests, _REFRESH)
        return Refresh.REQUESTED if heard else Refresh.NO_WATCHER

    @contextlib.asynccontextmanager
    async def refresh_requests(self, channels: Sequence[str]) -> AsyncIterator[AsyncIterator[str]]:
        asked = {keys_of(channel).requests.encode(): channel for channel in channels}
        async with subscription(self._redis, self._url, keys_of(channels[0]).probes, *asked) as payloads:
            yield self._requests(payloads, asked)

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

    async def _messages(self, payloads: AsyncIterator[Payload]) -> AsyncIterator[Message]:
        async for _, payload in payloads:
            message = self._decode(payload)
            if message is not None:
                yield message

    async def _requests(self, payloads: AsyncIterator[Payload], asked: dict[bytes, str]) -> AsyncIterator[str]:
        async for name, payload in payloads:
            if payload == _REFRESH:
                yield asked[name]
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

    def _translated(self) -> contextlib.AbstractContextManager[None]:
        return translated(self._url)

    def _prompt(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Do as ``_translated`` does, for what carries no report."""
        return prompt(self._url, "answer", ANSWER_S)


def _tcp_options(url: str) -> dict[str, Any]:
    if url.startswith("unix:") or not hasattr(socket, "TCP_USER_TIMEOUT"):
        return {}
    return {"socket_keepalive": True, "socket_keepalive_options": {socket.TCP_USER_TIMEOUT: USER_TIMEOUT_MS}}


def _argument(fence: int | None) -> int | str:
    return "" if fence is None else fence


def _lease_of(holder: bytes, fence: bytes, epoch: bytes | None, offset: bytes | None, has_report: int) -> Lease:
    position = Position(epoch.decode(), int(offset)) if epoch and offset else None
    return Lease(int(fence) if fence else None, holder.decode(), position, bool(has_report))


def redact(url: str) -> str:
    """Give the URL without user name, password and query, fit for a log."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
