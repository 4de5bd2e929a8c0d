"""A link that notices: what is wrong between a service and Redis is known within 5 s, and over 2 s after its end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import redis.asyncio
from reportcast.broker import redis_link
from reportcast.broker.errors import BrokerUnavailable
from reportcast.broker.redis import RedisBroker
from reportcast.contracts.messages import Message, Refreshed

from tests.support.link import Link, link_to
from tests.support.redis_server import RedisServer, real_redis
from tests.support.reports import publication
from tests.support.running import CHANNEL, running_gateway
from tests.support.wait import await_until

# What is promised.
NOTICED_S = 5.0
JOINED_AGAIN_S = 2.0

CHANNELS = (CHANNEL, "dns", "backup")


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """Give a Redis that the test may do anything to."""
    with real_redis() as server:
        yield server


@pytest.fixture
def link(own_redis: RedisServer) -> Iterator[Link]:
    """Give a network to it that the test may do anything to."""
    with link_to(own_redis.url) as link:
        yield link


@contextlib.contextmanager
def hanging(server: RedisServer, link: Link) -> Iterator[None]:
    """Let Redis hang: the kernel takes what it is sent, and nothing answers."""
    server.pause()
    try:
        yield
    finally:
        server.resume()


@contextlib.contextmanager
def black_hole(server: RedisServer, link: Link) -> Iterator[None]:
    """Let the network lose all that is sent."""
    link.is_black_hole = True
    try:
        yield
    finally:
        link.is_black_hole = False


@contextlib.contextmanager
def half_open(server: RedisServer, link: Link) -> Iterator[None]:
    """Let subscriptions hear nothing any more; commands are answered."""
    link.is_mute_to_subscribers = True
    try:
        yield
    finally:
        link.is_mute_to_subscribers = False


Fault = Callable[[RedisServer, Link], contextlib.AbstractContextManager[None]]
faults = pytest.mark.parametrize("fault", [hanging, black_hole, half_open])


@contextlib.asynccontextmanager
async def following(link: Link) -> AsyncIterator[AsyncIterator[Message]]:
    """Subscribe by way of the link."""
    broker = RedisBroker(link.url)
    async with broker.subscribe(CHANNEL) as messages:
        yield messages
    await broker.close()


async def first(messages: AsyncIterator[Message]) -> Message:
    """Give the next message."""
    return await anext(messages)


@faults
async def test_a_subscription_notices(own_redis: RedisServer, link: Link, fault: Fault) -> None:
    """By a probe of its own: nothing is published, and the relay's comparison of positions has no part in it."""
    async with following(link) as messages:
        with fault(own_redis, link):
            async with asyncio.timeout(NOTICED_S):
                with pytest.raises(BrokerUnavailable, match="no answer to a probe"):
                    await anext(messages)


async def test_a_watcher_notices(own_redis: RedisServer, link: Link) -> None:
    """Requests to read a file again come by the same way."""
    broker = RedisBroker(link.url)
    async with broker.refresh_requests(CHANNELS) as requests:
        with half_open(own_redis, link):
            async with asyncio.timeout(NOTICED_S):
                with pytest.raises(BrokerUnavailable, match="no answer to a probe"):
                    await anext(requests)
    await broker.close()


async def test_a_quiet_subscription_stays(own_redis: RedisServer, link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers its probes, which nobody else is given."""
    monkeypatch.setattr(redis_link, "PROBE_S", 0.05)
    other, client = RedisBroker(own_redis.url), redis.asyncio.Redis.from_url(own_redis.url)

    async def probes() -> int:
        return int((await client.info("commandstats")).get("cmdstat_publish", {"calls": 0})["calls"])

    async def was_probed() -> bool:
        return await probes() > 3

    async with following(link) as messages, asyncio.TaskGroup() as tasks:
        received = tasks.create_task(first(messages))
        await await_until("it was probed", was_probed)
        assert not received.done()
        await other.announce_refreshed(CHANNEL)

    assert received.result() == Refreshed()
    await client.aclose()
    await other.close()


async def test_a_subscription_that_redis_has_forgotten(own_redis: RedisServer, link: Link) -> None:
    """Is known at the first probe, which tells how many heard it."""
    async with following(link) as messages:
        own_redis.stop()
        own_redis.start()
        with pytest.raises(BrokerUnavailable):
            await anext(messages)


async def test_small_calls_do_not_wait_for_long(own_redis: RedisServer, link: Link) -> None:
    """A watcher has to know about its lease before that runs out; only what carries a report is given its time."""
    broker = RedisBroker(link.url)
    await broker.position(CHANNEL)
    calls = (broker.lease([CHANNEL], "a"), broker.position(CHANNEL), broker.announce_refreshed(CHANNEL))
    with hanging(own_redis, link):
        async with asyncio.timeout(NOTICED_S / 2):
            outcomes = await asyncio.gather(*calls, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [BrokerUnavailable] * 3
    await broker.close()


async def connections_of(broker: RedisBroker, client: redis.asyncio.Redis) -> set[str]:
    """Give the ids of those that carry commands, after ten commands at the same time."""
    await asyncio.gather(*(broker.position(CHANNEL) for _ in range(10)))
    return {each["id"] for each in await client.client_list(_type="normal") if each["name"] == "reportcast"}


async def test_a_subscription_that_redis_ended_costs_others_nothing(own_redis: RedisServer) -> None:
    """Connections for commands stay: they have nothing to do with it."""
    broker, client = RedisBroker(own_redis.url), redis.asyncio.Redis.from_url(own_redis.url, decode_responses=True)
    before = await connections_of(broker, client)
    subscribers: set[str] = set()

    async def follow() -> None:
        async with broker.subscribe(CHANNEL) as messages:
            subscribers.update(each["id"] for each in await client.client_list(_type="pubsub"))
            for subscriber in subscribers:
                await client.client_kill_filter(_id=subscriber)
            await anext(messages)

    with pytest.raises(BrokerUnavailable):
        await follow()
    after = await connections_of(broker, client)

    assert len(subscribers) == 1
    assert before - subscribers <= after
    await client.aclose()
    await broker.close()


async def test_what_is_idle_is_dropped_with_a_silent_subscription(
    own_redis: RedisServer, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be as dead: a call that comes next has a new connection."""
    monkeypatch.setattr(redis_link, "PROBE_S", 0.1)
    monkeypatch.setattr(redis_link, "ANSWER_S", 0.3)
    broker, client = RedisBroker(link.url), redis.asyncio.Redis.from_url(own_redis.url, decode_responses=True)
    before = await connections_of(broker, client)

    async def follow() -> None:
        async with broker.subscribe(CHANNEL) as messages:
            with half_open(own_redis, link):
                await anext(messages)

    with pytest.raises(BrokerUnavailable, match="no answer to a probe"):
        await follow()
    after = await connections_of(broker, client)

    assert before.isdisjoint(after)
    await client.aclose()
    await broker.close()


@faults
async def test_everybody_is_joined_again_soon(
    own_redis: RedisServer, link: Link, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All channels follow again within 2 s of the end of a fault, however long it was."""
    monkeypatch.setattr(redis_link, "PROBE_S", 0.2)
    monkeypatch.setattr(redis_link, "ANSWER_S", 0.2)
    broker, other = RedisBroker(link.url), RedisBroker(own_redis.url)
    for channel in CHANNELS:
        await other.publish(channel, publication(1))

    async with running_gateway(broker, CHANNELS) as running:

        def follows(expected: bool) -> bool:
            return all(feed.relay.is_connected is expected for feed in running.feeds)

        async def has_retried() -> bool:
            return await running.metric("reportcast_gateway_broker_retries_total") > 3 * len(CHANNELS)

        await await_until("all follow", lambda: follows(True))
        with fault(own_redis, link):
            await await_until("all know", lambda: follows(False))
            await await_until("all have tried again", has_retried)
        await await_until("all follow again", lambda: follows(True), JOINED_AGAIN_S)
        for channel in CHANNELS:
            await other.publish(channel, publication(2))
        snapshots = [feed.replica for feed in running.feeds]
        await await_until("all have it", lambda: all(each.snapshot and each.snapshot.offset == 2 for each in snapshots))
    await broker.close()
    await other.close()
