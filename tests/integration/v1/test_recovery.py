"""Who comes back with ``reportcast.v1`` is given what it missed, or the whole and why."""

import json

import pytest
import redis.asyncio
from reportcast.broker.keys import keys_of
from reportcast.broker.memory import MemoryBroker
from reportcast.broker.redis import RedisBroker
from reportcast.contracts.messages import Changed

from tests.support.redis_server import RedisServer
from tests.support.reports import change, publication
from tests.support.running import CHANNEL, Running, RunningGateway, running_gateway
from tests.support.v1 import at, publish, take, where
from tests.support.wait import await_until


@pytest.mark.parametrize(("offset", "missed"), [(3, []), (1, [2, 3]), (2, [3])])
async def test_who_comes_back(gateway: RunningGateway, offset: int, missed: list[int]) -> None:
    """Is given the changes since, none missing, and nothing else."""
    async with gateway.connect_v1(at(gateway, offset)) as client:
        _, following, *deltas = await take(client, "hello", "following", *["delta"] * len(missed))
        await take(client, "status")

    assert following["recovered"] is True
    assert [delta["offset"] for delta in deltas] == missed
    assert await gateway.metric("reportcast_gateway_resumed_total", outcome="recovered") == 1


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("epoch=0123456789abcdef&offset=2", "another epoch"),
        ("epoch={epoch}&offset=0", "not kept any more"),
    ],
)
async def test_who_cannot_be_given_what_it_missed(gateway: RunningGateway, query: str, why: str) -> None:
    """Is told why, and given the whole."""
    async with gateway.connect_v1(query.format(epoch=where(gateway).epoch)) as client:
        _, following, snapshot = await take(client, "hello", "following", "snapshot")

    assert following["recovered"] is False
    assert why in following["reason"]
    assert snapshot["offset"] == 3
    assert await gateway.metric("reportcast_gateway_resumed_total", outcome="refused") == 1


async def test_who_knows_more_than_the_gateway(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """Is not taken back, and not given a second time what it has."""
    async with gateway.connect_v1(at(gateway, 4)) as client:
        _, following, _ = await take(client, "hello", "following", "status")
        await publish(memory_broker, 4, 5)
        first, second = await take(client, "delta", "delta")

    assert (following["offset"], following["recovered"]) == (3, True)
    assert (first["offset"], second["offset"]) == (4, 5)


async def test_a_gateway_that_starts_later(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """Knows what came before it, from the broker."""
    async with running_gateway(memory_broker) as other:
        await await_until("it has the report", lambda: other.feed.replica.snapshot)
        async with other.connect_v1(at(gateway, 1)) as client:
            _, following, *_ = await take(client, "hello", "following", "delta", "delta", "status")

    assert following["recovered"] is True


async def test_changes_that_are_more_than_the_whole(memory_broker: MemoryBroker, running: Running) -> None:
    """Are not given one by one."""
    await memory_broker.publish(CHANNEL, publication(0))
    async with running(memory_broker) as gateway:
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)
        await publish(memory_broker, 1, 500)
        await await_until("it has all", lambda: where(gateway).offset == 501)
        async with gateway.connect_v1(at(gateway, 1)) as client:
            _, following, _ = await take(client, "hello", "following", "snapshot")

    assert following["reason"] == "the changes since then are more than the whole report"


async def test_a_report_too_large_for_a_message(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """Is read when word of it comes; what was missed before it comes step by step where it can."""
    async with gateway.connect_v1() as client:
        await take(client, "hello", "following", "snapshot", "status")
        held = memory_broker._messages._queues
        memory_broker._messages._queues = {}  # nobody hears of these
        await publish(memory_broker, 4, 5)
        memory_broker._messages._queues = held
        memory_broker._messages.publish(CHANNEL, Changed(where(gateway).epoch, 5))
        first, second = await take(client, "delta", "delta")

    assert (first["offset"], second["offset"]) == (4, 5)


async def test_another_epoch(redis_broker: RedisBroker, redis_server: RedisServer) -> None:
    """Everybody is given the whole, with its new position."""
    await redis_broker.publish(CHANNEL, publication(1))
    async with running_gateway(redis_broker) as gateway:
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)
        async with gateway.connect_v1() as client:
            _, _, first, _ = await take(client, "hello", "following", "snapshot", "status")
            async with redis.asyncio.Redis.from_url(redis_server.url) as direct:
                await direct.hset(keys_of(CHANNEL).state, "server", "0" * 40)
            await redis_broker.publish(CHANNEL, change(1, 2))
            (second,) = await take(client, "snapshot")

    assert second["epoch"] != first["epoch"]
    assert (first["offset"], second["offset"]) == (1, 2)


async def test_who_comes_back_to_several_channels(memory_broker: MemoryBroker, running: Running) -> None:
    """Is given what it was promised of each, also when the first one's report filled its connection."""
    await memory_broker.publish(CHANNEL, publication("x" * 400_000, "large"))
    await memory_broker.publish("dns", publication(1))
    await memory_broker.publish("dns", change(1, 2))
    async with running(memory_broker, channels=(CHANNEL, "dns")) as gateway:
        dns = gateway.feeds.get("dns")
        assert dns is not None
        await await_until("it has both", lambda: dns.replica.snapshot and gateway.feed.replica.snapshot)
        assert dns.replica.snapshot is not None
        query = f"channel={CHANNEL}&epoch={'0' * 16}&offset=1&channel=dns&epoch={dns.replica.snapshot.epoch}&offset=1"
        async with gateway.connect_v1(query, max_size=None) as client:
            await take(client, "hello", "following", "snapshot")
            while (frame := json.loads(await client.recv()))["type"] == "status":
                pass
            assert (frame["type"], frame["recovered"]) == ("following", True)
            while (frame := json.loads(await client.recv()))["type"] == "status":
                pass

    assert (frame["type"], frame["offset"]) == ("delta", 2)
