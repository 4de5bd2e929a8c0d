"""Messages and stored reports that are not what they say: no client of ``reportcast.v1`` is given them."""

import asyncio
import json
from typing import Any

import pytest
import redis.asyncio
from gateway.relay import VERIFY_S
from msgspec.structs import replace
from reportcast.broker.keys import keys_of
from reportcast.broker.memory import MemoryBroker
from reportcast.broker.redis import RedisBroker
from reportcast.contracts.messages import Changed, Delta

from tests.support.redis_server import RedisServer
from tests.support.reports import audit, change, publication
from tests.support.running import CHANNEL, RunningGateway, running_gateway
from tests.support.v1 import at, publish, take, until, where
from tests.support.wait import await_until


@pytest.mark.parametrize("lie", ["base", "digest", "body"])
async def test_a_change_that_does_not_fit(gateway: RunningGateway, memory_broker: MemoryBroker, lie: str) -> None:
    """Never reaches a client: the gateway finds out, reads the whole again, and goes on from there."""
    snapshot = gateway.feed.replica.snapshot
    assert snapshot is not None
    honest = change(3, 4)
    delta = Delta(
        snapshot.epoch, 4, "4.json", snapshot.digest, honest.digest, honest.published_at, honest.modified_at, (),
        honest.delta,
    )  # fmt: skip
    forged = replace(delta, **{lie: b"{}" if lie == "body" else "0" * 64})
    async with gateway.connect_v1() as client:
        await take(client, "hello", "following", "snapshot", "status")
        memory_broker._messages.publish(CHANNEL, forged)
        await await_until("it was found out", lambda: gateway.feed.relay._fruitless_s > 0)
        assert where(gateway).offset == 3
        await asyncio.sleep(1)  # another one is not followed up at once
        await publish(memory_broker, 4, 4)
        (delta_frame,) = await take(client, "delta")

    assert delta_frame["offset"] == 4
    assert await gateway.metric("reportcast_gateway_diverged_total") == 1


async def test_foreign_messages(redis_broker: RedisBroker, redis_server: RedisServer) -> None:
    """Are counted and ignored; none reaches a client or ends the relay."""
    await redis_broker.publish(CHANNEL, publication(1))
    async with running_gateway(redis_broker) as gateway:
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)
        direct = redis.asyncio.Redis.from_url(redis_server.url)
        async with gateway.connect_v1() as client, direct:
            await take(client, "hello", "following", "snapshot", "status")
            for foreign in (b"", b"\xff\xfe", b"{}", b'{"type":"delta"}', b"x" * 100_000, b'{"type":"dance"}'):
                await direct.publish(keys_of(CHANNEL).messages, foreign)
            await redis_broker.publish(CHANNEL, change(1, 2))
            (delta,) = await take(client, "delta")

    assert delta["offset"] == 2
    assert VERIFY_S  # the relay has been there all the time: nothing was read again


async def test_a_message_that_leads_nowhere_delays_the_next_by_a_second(
    gateway: RunningGateway, memory_broker: MemoryBroker
) -> None:
    """At most: what was announced after it is read."""
    async with gateway.connect_v1(at(gateway, 3)) as client:
        await until(client, "status")
        memory_broker._messages.publish(CHANNEL, Changed("f" * 16, 1))
        held, memory_broker._messages._queues = memory_broker._messages._queues, {}  # nobody hears of this
        await publish(memory_broker, 4, 4)
        memory_broker._messages._queues = held
        memory_broker._messages.publish(CHANNEL, Changed("f" * 16, 2))
        async with asyncio.timeout(VERIFY_S / 2):
            assert json.loads(await until(client, "delta"))["offset"] == 4


@pytest.mark.parametrize("offset", [4, 9])
async def test_a_report_that_is_not_what_it_says(
    gateway: RunningGateway, memory_broker: MemoryBroker, offset: int
) -> None:
    """Never reaches a client, whether it would be the next or not."""
    held = gateway.feed.replica.snapshot
    assert held is not None
    forged = replace(held, offset=offset, body=b"{not json")
    async with gateway.connect_v1(at(gateway, 3)) as client, gateway.connect() as plain:
        await until(client, "status")
        await plain.recv()
        memory_broker._messages.publish(CHANNEL, forged)
        await publish(memory_broker, 4, 4)
        assert json.loads(await until(client, "delta"))["offset"] == 4
        assert json.loads(await plain.recv())["data"] == audit(4)


async def test_a_stored_report_that_is_not_what_it_says(redis_broker: RedisBroker, redis_server: RedisServer) -> None:
    """Is not served; the gateway says that it does not follow, and why, until there is another one."""
    await redis_broker.publish(CHANNEL, publication(1))
    direct: Any = redis.asyncio.Redis.from_url(redis_server.url)
    async with direct:
        state = keys_of(CHANNEL).state
        message = await direct.hget(state, "message")
        assert message is not None
        await direct.hset(state, "message", message.replace(b"repo-1", b"repo-2"))
    async with running_gateway(redis_broker) as gateway:
        await await_until("it has looked", lambda: gateway.feed.metrics.diverged._value.get() > 0)
        assert (await gateway.http.get("audit")).status_code == 503
        assert not gateway.feed.relay.is_connected
        await redis_broker.publish(CHANNEL, publication(2))
        await await_until("it has the next one", lambda: gateway.feed.relay.is_connected)

        assert (await gateway.http.get("audit")).json() == audit(2)
