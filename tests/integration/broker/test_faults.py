"""A Redis that is not there, empty, full, locked or spoilt, and calls that are given up."""

import asyncio

import pytest
import redis.asyncio
from reportcast.broker.errors import BrokerRefused, BrokerUnavailable
from reportcast.broker.keys import keys_of
from reportcast.broker.redis import RedisBroker

from tests.support.ports import free_port
from tests.support.redis_server import RedisServer, real_redis
from tests.support.reports import publication


@pytest.mark.parametrize("ticks", range(12))
async def test_a_cancelled_call_ends(redis_broker: RedisBroker, ticks: int) -> None:
    """Whenever the cancellation comes, it is not swallowed: else a service would not end on SIGTERM."""
    await redis_broker.state("audit")  # connected

    async def ask_often() -> None:
        for _ in range(100):
            await redis_broker.state("audit")

    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(ask_often())
        for _ in range(ticks):
            await asyncio.sleep(0)
        asking.cancel()
    assert asking.cancelled()


async def test_a_broker_that_is_not_there() -> None:
    """Says where it was looked for, without the password."""
    port = free_port()
    broker = RedisBroker(f"redis://user:secret@127.0.0.1:{port}/0")

    with pytest.raises(BrokerUnavailable, match=f"broker redis://127.0.0.1:{port}/0 is unavailable: .") as caught:
        await broker.state("audit")

    assert "secret" not in str(caught.value)
    await broker.close()


async def test_an_empty_redis_begins_another_stream(redis_server: RedisServer, redis_broker: RedisBroker) -> None:
    """Offsets start over under another epoch, and the old history is gone."""
    first = await redis_broker.publish("audit", publication(1))
    client = redis.asyncio.Redis.from_url(redis_server.url)
    await client.delete(keys_of("audit").state)
    await client.aclose()

    second = await redis_broker.publish("audit", publication(2))

    assert second.position.offset == 1
    assert second.position.epoch != first.position.epoch
    assert len(await redis_broker.history("audit")) == 1


async def test_a_wrong_password() -> None:
    """Is a refusal that says where to look, not an outage."""
    with real_redis() as server:
        client = redis.asyncio.Redis.from_url(server.url)
        await client.config_set("requirepass", "sesame")
        await client.aclose()
        for url in (server.url, server.url.replace("redis://", "redis://:guess@")):
            broker = RedisBroker(url)

            with pytest.raises(BrokerRefused, match="another user name or password than REDIS_URL gives") as caught:
                await broker.state("audit")

            assert "guess" not in str(caught.value)
            await broker.close()


async def test_garbage_in_the_stored_state(redis_server: RedisServer, redis_broker: RedisBroker) -> None:
    """Is a refusal, not the end of the process that meets it."""
    keys = keys_of("audit")
    client = redis.asyncio.Redis.from_url(redis_server.url)
    await client.hset(keys.state, mapping={"epoch": "e", "offset": "many"})
    await client.zadd(keys.names, {b"\xff": 1})
    await client.aclose()

    with pytest.raises(BrokerRefused, match="not ours"):
        await redis_broker.position("audit")
    with pytest.raises(BrokerRefused, match="not ours"):
        await redis_broker.history("audit")
    with pytest.raises(BrokerRefused):
        await redis_broker.publish("audit", publication(1))


async def test_a_full_redis(redis_broker: RedisBroker, redis_server: RedisServer) -> None:
    """Refuses, keeps what it has, and takes the report once there is room."""
    await redis_broker.publish("audit", publication(1))
    client = redis.asyncio.Redis.from_url(redis_server.url)
    await client.config_set("maxmemory", "1")

    with pytest.raises(BrokerRefused, match="maxmemory"):
        await redis_broker.publish("audit", publication(2))

    assert await redis_broker.history("audit") == [f"{publication(1).stem}.json"]
    await client.config_set("maxmemory", "0")
    await client.aclose()
    assert (await redis_broker.publish("audit", publication(2))).position.offset == 2
