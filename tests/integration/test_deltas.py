"""Changes on the broker: what subscribers and those who join are given of them."""

import dataclasses
from typing import Any

import pytest
import redis.asyncio
from reportcast.broker.base import Broker, DeltaLimits
from reportcast.broker.keys import keys_of
from reportcast.broker.memory import MemoryBroker
from reportcast.broker.redis import RedisBroker
from reportcast.contracts.messages import INLINE_BYTES, Changed, Delta, Snapshot

from tests.support.redis_server import RedisServer
from tests.support.reports import change, publication


async def test_a_change_is_published_alone(broker: Broker) -> None:
    """With where it starts and where it leads; the whole is stored."""
    await broker.publish("audit", publication(1))
    async with broker.subscribe("audit") as messages:
        stored = await broker.publish("audit", change(1, 2))
        received = await anext(messages)

    assert isinstance(received, Delta)
    assert (received.position, received.body) == (stored.position, change(1, 2).delta)
    assert (received.base, received.digest) == (publication(1).digest, publication(2).digest)
    state = await broker.state("audit")
    assert state.snapshot == received.grown(publication(2).body)
    assert state.deltas == (received,)


async def test_a_change_of_something_else_is_published_whole(broker: Broker) -> None:
    """As from a watcher that does not know what another has published; nobody can come up to it step by step."""
    for each in (publication(1), change(1, 2)):
        await broker.publish("audit", each)
    async with broker.subscribe("audit") as messages:
        await broker.publish("audit", change(1, 3))
        received = await anext(messages)

    assert isinstance(received, Snapshot)
    assert received.body == publication(3).body
    assert (await broker.state("audit")).deltas == ()


async def test_deltas_are_kept_without_a_gap(broker: Broker) -> None:
    """Up to the newest, each starting where the one before leads."""
    await broker.publish("audit", publication(0))
    for mark in range(1, 6):
        await broker.publish("audit", change(mark - 1, mark))

    deltas = (await broker.state("audit")).deltas

    assert [delta.offset for delta in deltas] == [2, 3, 4, 5, 6]
    assert [delta.base for delta in deltas[1:]] == [delta.digest for delta in deltas[:-1]]


@pytest.mark.parametrize(
    ("limits", "kept"),
    [
        pytest.param(DeltaLimits(max_deltas=2), [5, 6], id="by-count"),
        pytest.param(DeltaLimits(max_bytes=0), [], id="by-bytes"),
        pytest.param(DeltaLimits(max_age_s=-1), [], id="by-age"),
    ],
)
@pytest.mark.parametrize("kind", ["memory", "redis"])
async def test_deltas_are_bounded(redis_server: RedisServer, limits: DeltaLimits, kept: list[int], kind: str) -> None:
    """The oldest make room."""
    broker: Broker = MemoryBroker(lambda: 0.0, delta_limits=limits)
    if kind == "redis":
        broker = RedisBroker(redis_server.url, delta_limits=limits)
    await broker.publish("audit", publication(0))
    for mark in range(1, 6):
        await broker.publish("audit", change(mark - 1, mark))

    assert [delta.offset for delta in (await broker.state("audit")).deltas] == kept
    await broker.close()


async def test_the_bytes_of_deltas_are_counted(redis_broker: RedisBroker, redis_server: RedisServer) -> None:
    """What is cut is not counted any more."""
    broker = RedisBroker(redis_server.url, delta_limits=DeltaLimits(max_deltas=2))
    await broker.publish("audit", publication(0))
    for mark in range(1, 6):
        await broker.publish("audit", change(mark - 1, mark))
    client: Any = redis.asyncio.Redis.from_url(redis_server.url)
    counted = int(await client.hget(keys_of("audit").state, "delta_bytes"))
    entries = await client.xrange(keys_of("audit").deltas)
    await client.aclose()

    assert counted == sum(len(fields[b"message"]) for _, fields in entries)
    await broker.close()


async def test_a_large_report_is_announced(redis_broker: RedisBroker) -> None:
    """So that what comes behind it on the same link need not wait; it is read from what is stored."""
    large = dataclasses.replace(publication(1), body=b'{"pad":"%s"}' % (b"x" * INLINE_BYTES))
    async with redis_broker.subscribe("audit") as messages:
        stored = await redis_broker.publish("audit", large)
        received = await anext(messages)

    assert received == Changed(stored.position.epoch, stored.position.offset)
    state = await redis_broker.state("audit")
    assert state.snapshot is not None
    assert state.snapshot.body == large.body


async def test_another_server_begins_another_epoch(redis_broker: RedisBroker, redis_server: RedisServer) -> None:
    """It may have lost what came last: its next offset may be one that readers have, with another content."""
    first = await redis_broker.publish("audit", publication(1))
    await forget_server(redis_server)

    async with redis_broker.subscribe("audit") as messages:
        second = await redis_broker.publish("audit", change(1, 2))
        received = await anext(messages)

    assert second.position.epoch != first.position.epoch
    assert second.position.offset == first.position.offset + 1
    assert isinstance(received, Snapshot)
    assert await redis_broker.history("audit") == [second.name, first.name]


async def test_the_same_content_on_another_server(redis_broker: RedisBroker, redis_server: RedisServer) -> None:
    """It is stored as it was, in another epoch: its readers may have seen something newer that was lost."""
    first = await redis_broker.publish("audit", publication(1))
    await forget_server(redis_server)

    second = await redis_broker.publish("audit", publication(1))
    third = await redis_broker.publish("audit", publication(1))

    assert (second.changed, third.changed) == (True, False)
    assert second.position.epoch != first.position.epoch
    assert (second.position.offset, second.name) == (first.position.offset, first.name)
    assert third.position == second.position == await redis_broker.position("audit")
    assert await redis_broker.history("audit") == [first.name]


async def forget_server(server: RedisServer) -> None:
    """Have what is stored look as if another server had stored it."""
    client: Any = redis.asyncio.Redis.from_url(server.url)
    await client.hset(keys_of("audit").state, "server", "0" * 40)
    await client.aclose()
