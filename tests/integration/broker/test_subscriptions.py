"""Who subscribes hears all, or learns that it does not; requests reach the watchers."""

import logging

import pytest
import redis.asyncio
from reportcast.broker.base import Broker, Refresh
from reportcast.broker.errors import BrokerUnavailable
from reportcast.broker.keys import keys_of
from reportcast.broker.memory import MAX_BACKLOG, MemoryBroker
from reportcast.broker.redis import RedisBroker
from reportcast.contracts.messages import Refreshed

from tests.support.redis_server import RedisServer
from tests.support.reports import publication
from tests.support.wait import await_until


async def test_refresh_requests(broker: Broker) -> None:
    """They reach the watchers, at most one a second; nobody there is said."""
    assert await broker.request_refresh("dns") is Refresh.NO_WATCHER
    async with broker.refresh_requests(["audit"]) as requests:
        asked = [await broker.request_refresh("audit"), await broker.request_refresh("audit")]
        await anext(requests)

    assert asked == [Refresh.REQUESTED, Refresh.TOO_SOON]


async def test_a_subscriber_that_does_not_read_is_cut_off(memory_broker: MemoryBroker) -> None:
    """The in-process queue is bounded; the reader learns that it has missed something."""
    async with memory_broker.subscribe("audit") as messages:
        for _ in range(MAX_BACKLOG + 1):
            await memory_broker.announce_refreshed("audit")

        with pytest.raises(BrokerUnavailable):
            _ = [message async for message in messages]


async def test_foreign_messages_are_counted_and_ignored(redis_server: RedisServer) -> None:
    """What somebody else writes into our channels or keys reaches nobody."""
    bad: list[str] = []
    broker = RedisBroker(redis_server.url, on_bad_message=bad.append)
    keys = keys_of("audit")
    client = redis.asyncio.Redis.from_url(redis_server.url)
    async with broker.subscribe("audit") as messages, broker.refresh_requests(["audit"]) as requests:
        await client.publish(keys.messages, "hello")
        await broker.announce_refreshed("audit")
        assert await anext(messages) == Refreshed()
        await client.publish(keys.requests, "hello")
        await client.publish(keys.requests, "refresh")
        await anext(requests)
    await client.hset(keys.state, "message", "hello")
    assert (await broker.state("audit")).snapshot is None
    await client.aclose()
    await broker.close()

    assert len(bad) == 3


async def test_a_lost_link_ends_the_subscription(redis_server: RedisServer, redis_broker: RedisBroker) -> None:
    """The library must not subscribe again in silence: something may have been missed."""
    client = redis.asyncio.Redis.from_url(redis_server.url)
    async with redis_broker.subscribe("audit") as messages:
        await client.client_kill_filter(_type="pubsub")

        with pytest.raises(BrokerUnavailable):
            await anext(messages)
    await client.aclose()


async def test_the_client_library_writes_no_report_out(
    redis_broker: RedisBroker, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even when it may log all that it likes: that would stop the event loop for 4 ms for each MB."""
    with caplog.at_level(logging.DEBUG, "push_response"):
        async with redis_broker.subscribe("audit") as messages:
            await redis_broker.publish("audit", publication(1))
            await anext(messages)

    assert caplog.messages == []


async def test_a_subscription_that_is_left_is_gone(redis_server: RedisServer, redis_broker: RedisBroker) -> None:
    """Redis counts no subscriber afterwards."""
    client = redis.asyncio.Redis.from_url(redis_server.url)
    async with redis_broker.subscribe("audit"):
        assert (await client.pubsub_numsub(keys_of("audit").messages))[0][1] == 1

    async def nobody_follows() -> bool:
        return bool((await client.pubsub_numsub(keys_of("audit").messages))[0][1] == 0)

    await await_until("nobody follows", nobody_follows)
    await client.aclose()
