"""What is published is numbered, stored and told, in one step, whatever the broker."""

import asyncio
import dataclasses
import datetime

import pytest
import redis.asyncio
from reportcast.broker.base import Broker
from reportcast.broker.errors import BrokerRefused
from reportcast.broker.keys import keys_of
from reportcast.broker.memory import MemoryBroker
from reportcast.broker.redis import RedisBroker
from reportcast.contracts.clock import utc_now
from reportcast.contracts.messages import Finding, Refreshed, Snapshot, number

from tests.support.leases import SOURCE
from tests.support.redis_server import RedisServer
from tests.support.reports import publication


async def test_offsets_are_consecutive(broker: Broker) -> None:
    """Within one epoch, from 1, without holes."""
    stored = [await broker.publish("audit", publication(mark)) for mark in range(5)]

    assert [each.position.offset for each in stored] == [1, 2, 3, 4, 5]
    assert len({each.position.epoch for each in stored}) == 1
    assert await broker.position("audit") == stored[-1].position


async def test_the_time_is_the_brokers_own(broker: Broker) -> None:
    """And the same by whatever connection it is asked; one that is in this process has none."""
    before = utc_now()
    told = await broker.time()

    assert (told is None) == isinstance(broker, MemoryBroker)
    # A server that takes the time once for all that it does in a tick is up to a ms behind.
    assert told is None or before - datetime.timedelta(milliseconds=5) <= told <= utc_now()


async def test_identical_content_is_published_once(broker: Broker) -> None:
    """However many watchers publish it at the same time."""
    async with broker.subscribe("audit") as messages:
        stored = await asyncio.gather(*(broker.publish("audit", publication(7)) for _ in range(20)))
        await broker.announce_refreshed("audit")
        received = [await anext(messages), await anext(messages)]

    assert sum(each.changed for each in stored) == 1
    assert {each.position.offset for each in stored} == {1}
    assert [type(message) for message in received] == [Snapshot, Refreshed]


async def test_what_was_published_earlier_may_come_again(broker: Broker) -> None:
    """A, B, A are three changes."""
    stored = [await broker.publish("audit", publication(mark)) for mark in "aba"]

    assert [each.changed for each in stored] == [True, True, True]


async def test_the_stored_message_is_the_published_one(broker: Broker) -> None:
    """State, subscription and in-process numbering agree in every field."""
    async with broker.subscribe("audit") as messages:
        stored = await broker.publish("audit", publication(1))
        received = await anext(messages)

    assert received == number(publication(1), stored.position, f"{publication(1).stem}.json")
    assert (await broker.state("audit")).snapshot == received


async def test_an_empty_channel(broker: Broker) -> None:
    """Nothing is there, and that is no error."""
    state = await broker.state("audit")

    assert (state.snapshot, state.source) == (None, None)
    assert await broker.position("audit") is None
    assert await broker.history("audit") == []
    assert await broker.offsets("audit") == {}
    assert await broker.past_report("audit", "none.json") is None


async def test_channels_are_independent(broker: Broker) -> None:
    """What one has, another has not."""
    await broker.publish("audit", publication(1))

    assert (await broker.state("dns")).snapshot is None


async def test_the_source_is_stored_and_published(broker: Broker) -> None:
    """Those who join later read it; those who follow receive it; a new report leaves it alone."""
    async with broker.subscribe("audit") as messages:
        await broker.set_source("audit", SOURCE)
        assert await anext(messages) == SOURCE
    await broker.publish("audit", publication(1))

    assert (await broker.state("audit")).source == SOURCE


async def test_publishing_is_all_or_nothing(redis_server: RedisServer, redis_broker: RedisBroker) -> None:
    """A key of a wrong type refuses the whole publish: nothing stored, numbered or published."""
    keys = keys_of("audit")
    await redis_broker.publish("audit", publication(1))
    before = await redis_broker.state("audit")
    client = redis.asyncio.Redis.from_url(redis_server.url)
    for key in (keys.names, keys.history):
        kept = await client.dump(key)
        await client.delete(key)
        await client.hset(key, "not", "ours")

        with pytest.raises(BrokerRefused, match="is expected"):
            await redis_broker.publish("audit", publication(2))

        assert await redis_broker.state("audit") == before
        await client.delete(key)
        assert kept is not None
        await client.restore(key, 0, kept)
    await client.aclose()
    assert (await redis_broker.publish("audit", publication(2))).position.offset == 2


async def test_findings_travel_with_the_report(broker: Broker) -> None:
    """To those who follow and to those who join later."""
    finding = Finding("summary_mismatch", "summary says 2; the repos are 3", 4, 9)
    async with broker.subscribe("audit") as messages:
        await broker.publish("audit", dataclasses.replace(publication(1), findings=(finding,)))
        message = await anext(messages)

    assert isinstance(message, Snapshot)
    assert message.findings == (finding,)
    assert (await broker.state("audit")).snapshot == message
