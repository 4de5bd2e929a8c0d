"""
The Redis broker: its modules (redis*.py) are the only ones that know Redis' client library.

The library is told not to retry: it would reconnect a lost subscription in silence, and what was published in
between would be missing without a trace. Those who use the broker retry, and read the state again.
"""

import asyncio
import contextlib
import datetime
import functools
import re
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec

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
from reportcast.broker.errors import BrokerError, BrokerUnavailable
from reportcast.broker.keys import keys_of
from reportcast.broker.redis_client import Client, servers_of
from reportcast.broker.redis_link import ANSWER_S, Payload, prompt, subscription, together, translated
from reportcast.broker.redis_script import Script
from reportcast.broker.redis_url import parse_redis_url
from reportcast.contracts.clock import moment_of
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

_REFRESH = b"refresh"
# Servers of a cluster have each a clock of its own: everybody asks the one that has this channel, which nobody uses.
_CLOCK = "_clock"
# Each half of an id is below 2**64; Redis refuses to look for a greater one.
_REJECTION_ID = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")


class RedisBroker:
    """
    A ``Broker`` on Redis: one server, or those that Sentinels or a cluster know of.

    Args:
        url: As ``REDIS_URL`` has it.
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
        where = parse_redis_url(url)
        self._url = str(where)
        self._servers = servers_of(where)
        self._limits = limits or HistoryLimits()
        self._rejection_limits = rejection_limits or RejectionLimits()
        self._delta_limits = delta_limits or DeltaLimits()
        self._on_bad_message = on_bad_message
        self._publish, self._read, self._lease, self._set_source, self._reject = (
            Script(self._servers, name) for name in ("publish", "read", "lease", "source", "reject")
        )

    async def lease(self, channels: Sequence[str], holder: str) -> list[Lease | BrokerError]:
        replies = await self._leases(channels, holder, LEASE_S)
        return [self._lease_of(*each) for each in zip(channels, replies, strict=True)]

    async def release(self, channels: Sequence[str], holder: str) -> None:
        await self._leases(channels, holder, 0)

    async def _leases(self, channels: Sequence[str], holder: str, ttl_s: float) -> list[Any]:
        args = [holder, int(ttl_s * 1000)]
        if self._servers.is_cluster:
            replies = await self._apart(channels, lambda run, each: self._lease.queue(run, _lease_keys(each), args))
            return [reply if isinstance(reply := replies[each], Exception) else reply[0] for each in channels]
        async with self._prompt(*channels):
            found: list[Any] = await self._lease([key for each in channels for key in _lease_keys(each)], args)
            return found

    async def _apart(self, channels: Collection[str], queue: Callable[[Client, str], None]) -> dict[str, Any]:
        """
        Have each server do something for those channels that it has.

        Args:
            channels: All of them.
            queue: Adds to a pipeline what is to be done for one.

        Returns:
            By channel the reply or what went wrong: a server that is away disturbs only those that it has.

        Raises:
            BrokerError: If all went wrong.
        """
        replies: dict[str, Any] = {}

        async def ask(client: Client, batch: Sequence[str]) -> None:
            try:
                async with self._prompt(*batch), client.pipeline(transaction=False) as pipeline:
                    for channel in batch:
                        queue(pipeline, channel)
                    replies.update(zip(batch, await pipeline.execute(raise_on_error=False), strict=True))
            except BrokerError as error:
                replies.update(dict.fromkeys(batch, error))

        batches, unknown = await self._batches(channels)
        replies.update(unknown)
        async with asyncio.TaskGroup() as tasks:
            for client, batch in batches.items():
                tasks.create_task(ask(client, batch))
        errors = [reply for reply in replies.values() if isinstance(reply, BrokerError)]
        if errors and len(errors) == len(replies):
            raise errors[0]
        return replies

    async def _batches(self, channels: Collection[str]) -> tuple[dict[Client, list[str]], dict[str, BrokerError]]:
        """Give the channels by the server that has them, and why it is not known of the others."""
        batches: dict[Client, list[str]] = {}
        unknown: dict[str, BrokerError] = {}

        async def find(channel: str) -> None:
            try:
                async with self._prompt(channel):
                    batches.setdefault(await self._of(channel), []).append(channel)
            except BrokerError as error:
                unknown[channel] = error

        async with asyncio.TaskGroup() as tasks:
            for channel in channels:
                tasks.create_task(find(channel))
        return batches, unknown

    def _lease_of(self, channel: str, reply: Any) -> Lease | BrokerError:
        try:
            with self._translated(channel):
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
        with self._translated(channel):
            epoch, offset, changed, name = await self._publish(named, args)
            return Stored(Position(epoch.decode(), int(offset)), changed=bool(changed), name=name.decode())

    async def state(self, channel: str) -> ChannelState:
        keys = keys_of(channel)
        with self._translated(channel):
            fields = await self._read([keys.state, keys.deltas])
        snapshot, source, *deltas = (self._decode(field) for field in fields)
        return ChannelState(
            snapshot if isinstance(snapshot, Snapshot) else None,
            source if isinstance(source, Source) else None,
            tuple(delta for delta in deltas if isinstance(delta, Delta)),
        )

    async def position(self, channel: str) -> Position | None:
        async with self._prompt(channel):
            epoch, offset = await (await self._of(channel)).hmget(keys_of(channel).state, ["epoch", "offset"])
            return Position(epoch.decode(), int(offset)) if epoch and offset else None

    async def set_source(self, channel: str, source: Source, fence: int | None = None) -> None:
        keys = keys_of(channel)
        async with self._prompt(channel):
            await self._set_source([keys.state], [keys.messages, _argument(fence), encode_message(source)])

    async def set_sources(self, sources: Mapping[str, tuple[Source, int]]) -> None:
        def queue(pipeline: Client, channel: str) -> None:
            keys, (source, fence) = keys_of(channel), sources[channel]
            self._set_source.queue(pipeline, [keys.state], [keys.messages, fence, encode_message(source)])

        await self._apart(sources, queue)

    async def reject(self, channel: str, rejection: Rejection, content: bytes) -> None:
        keys, limits = keys_of(channel), self._rejection_limits
        args: list[Any] = [limits.max_rejections, msgspec.json.encode(rejection), content[: limits.max_bytes]]
        with self._translated(channel):
            await self._reject([keys.rejections, keys.rejected], args)

    async def rejections(self, channel: str) -> list[Rejection]:
        with self._translated(channel):
            entries = await (await self._of(channel)).xrevrange(keys_of(channel).rejections)
            return [
                msgspec.structs.replace(msgspec.json.decode(fields[b"record"], type=Rejection), id=name.decode())
                for name, fields in entries
            ]

    async def rejected_content(self, channel: str, rejection_id: str) -> bytes | None:
        if not _REJECTION_ID.fullmatch(rejection_id):
            return None
        with self._translated(channel):
            entries = await (await self._of(channel)).xrange(keys_of(channel).rejected, rejection_id, rejection_id)
        content: bytes | None = entries[0][1][b"content"] if entries else None
        return content

    async def announce_refreshed(self, channel: str) -> None:
        async with self._prompt(channel):
            await (await self._of(channel)).publish(keys_of(channel).messages, encode_message(Refreshed()))

    @contextlib.asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[AsyncIterator[Message]]:
        keys = keys_of(channel)
        async with self._subscription([channel], keys.messages) as payloads:
            yield self._messages(payloads)

    async def request_refresh(self, channel: str) -> Refresh:
        keys = keys_of(channel)
        async with self._prompt(channel):
            if not await (await self._of(channel)).set(keys.throttle, b"", nx=True, px=1000):
                return Refresh.TOO_SOON
            heard = await (await self._of(channel)).publish(keys.requests, _REFRESH)
        return Refresh.REQUESTED if heard else Refresh.NO_WATCHER

    @contextlib.asynccontextmanager
    async def refresh_requests(self, channels: Sequence[str]) -> AsyncIterator[AsyncIterator[str]]:
        asked = {keys_of(channel).requests.encode(): channel for channel in channels}
        # Where the requests are published: a server of a cluster counts those alone who listen there.
        batches, unknown = await self._batches(channels)
        for error in unknown.values():
            raise error
        async with contextlib.AsyncExitStack() as stack:
            heard = [
                await stack.enter_async_context(
                    self._subscription(batch, *(keys_of(channel).requests for channel in batch))
                )
                for batch in batches.values()
            ]
            payloads = await stack.enter_async_context(together(heard)) if len(heard) > 1 else heard[0]
            yield self._requests(payloads, asked)

    async def history(self, channel: str) -> list[str]:
        with self._translated(channel):
            names = await (await self._of(channel)).zrevrange(keys_of(channel).names, 0, -1)
            return [name.decode() for name in names]

    async def offsets(self, channel: str) -> dict[str, int]:
        with self._translated(channel):
            names = await (await self._of(channel)).zrevrange(keys_of(channel).names, 0, -1, withscores=True)
            return {name.decode(): int(offset) for name, offset in names}

    async def past_report(self, channel: str, name: str) -> Snapshot | None:
        keys = keys_of(channel)
        with self._translated(channel):
            offset = await (await self._of(channel)).zscore(keys.names, name)
            if offset is None:
                return None
            entries = await (await self._of(channel)).xrange(keys.history, f"{int(offset)}-0", f"{int(offset)}-0")
        snapshot = self._decode(entries[0][1][b"message"]) if entries else None
        return snapshot if isinstance(snapshot, Snapshot) else None

    async def time(self) -> datetime.datetime | None:
        async with self._prompt(_CLOCK):
            seconds, microseconds = await (await self._of(_CLOCK)).time()
        return moment_of((seconds * 1_000_000 + microseconds) * 1000)

    async def close(self) -> None:
        await self._servers.aclose()

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

    @contextlib.asynccontextmanager
    async def _subscription(self, channels: Sequence[str], *names: str) -> AsyncIterator[AsyncIterator[Payload]]:
        server, probes = functools.partial(self._of, channels[0]), keys_of(channels[0]).probes
        async with contextlib.AsyncExitStack() as stack:
            with self._doubting(*channels):
                payloads = await stack.enter_async_context(subscription(server, self._url, probes, *names))
            yield self._heard(channels, payloads)

    async def _heard(self, channels: Sequence[str], payloads: AsyncIterator[Payload]) -> AsyncIterator[Payload]:
        with self._doubting(*channels):
            async for payload in payloads:
                yield payload

    async def _of(self, channel: str) -> Client:
        return await self._servers.of(keys_of(channel).state)

    @contextlib.contextmanager
    def _translated(self, *channels: str) -> Iterator[None]:
        with self._doubting(*channels), translated(self._url):
            yield

    @contextlib.asynccontextmanager
    async def _prompt(self, *channels: str) -> AsyncIterator[None]:
        """Do as ``_translated`` does, for what carries no report."""
        with self._doubting(*channels):
            async with prompt(self._url, "answer", ANSWER_S):
                yield

    @contextlib.contextmanager
    def _doubting(self, *channels: str) -> Iterator[None]:
        """Have it asked again who has the channels, after what may be due to that."""
        try:
            yield
        except BrokerUnavailable:
            self._servers.doubt(*(keys_of(channel).state for channel in channels))
            raise


def _argument(fence: int | None) -> int | str:
    return "" if fence is None else fence


def _lease_of(holder: bytes, fence: bytes, epoch: bytes | None, offset: bytes | None, has_report: int) -> Lease:
    position = Position(epoch.decode(), int(offset)) if epoch and offset else None
    return Lease(int(fence) if fence else None, holder.decode(), position, bool(has_report))


def _lease_keys(channel: str) -> tuple[str, str]:
    keys = keys_of(channel)
    return keys.lease, keys.state
