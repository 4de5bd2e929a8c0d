"""One watcher leads each channel, and who does not lead any more is refused."""

import pytest
import redis.asyncio
from msgspec.structs import replace
from reportcast.broker.base import LEASE_S, Broker, Lease
from reportcast.broker.errors import BrokerFenced, BrokerRefused
from reportcast.broker.keys import keys_of
from reportcast.broker.memory import MemoryBroker
from reportcast.broker.redis import RedisBroker

from tests.support.leases import SOURCE, fence_of, lease
from tests.support.redis_server import RedisServer
from tests.support.reports import publication
from tests.support.wait import await_until


async def test_one_watcher_leads(broker: Broker) -> None:
    """Each channel has one holder, who can renew; who gives up or lets it lapse makes room for another."""
    fence = await fence_of(broker, "a")
    others = await broker.lease(["audit", "new"], "b")

    assert [isinstance(other, Lease) and (other.holder, other.fence is None) for other in others] == [
        ("a", True),
        ("b", False),
    ]
    assert await fence_of(broker, "a") == fence
    await broker.release(["audit"], "b")
    assert (await lease(broker, "b")).fence is None
    await broker.release(["audit"], "a")
    assert await fence_of(broker, "b") > fence


async def test_a_lease_tells_where_the_channel_stands(broker: Broker) -> None:
    """So that nothing else has to be asked for it; other holders are told, too."""
    assert (await lease(broker, "a")).position is None
    await broker.restore("audit", publication(0), await fence_of(broker, "a"))
    assert not (await lease(broker, "a")).has_report
    stored = await broker.publish("audit", publication(1), await fence_of(broker, "a"))

    told = [await lease(broker, holder) for holder in "ab"]
    assert [(each.position, each.has_report) for each in told] == [(stored.position, True)] * 2


async def test_a_refused_channel_disturbs_no_other(redis_server: RedisServer, redis_broker: RedisBroker) -> None:
    """Its key is of a wrong type: the others' leases are had."""
    client = redis.asyncio.Redis.from_url(redis_server.url)
    await client.set(keys_of("bad").state, "x", ex=60)
    await client.aclose()

    leases = await redis_broker.lease(["audit", "bad", "dns"], "a")

    assert [type(each) for each in leases] == [Lease, BrokerRefused, Lease]


async def test_a_watcher_that_does_not_lead_any_more_is_refused(broker: Broker) -> None:
    """It was frozen while another took over: neither report nor source of the old tenure gets through."""
    old = await fence_of(broker, "frozen")
    await broker.release(["audit"], "frozen")  # stands for a lease that ran out
    fence = await fence_of(broker, "other")
    await broker.publish("audit", publication("new"), fence)
    await broker.set_source("audit", SOURCE, fence)
    before = await broker.state("audit")

    with pytest.raises(BrokerFenced, match="report was sent by a watcher that does not lead"):
        await broker.publish("audit", publication("old"), old)
    with pytest.raises(BrokerFenced, match="source was sent"):
        await broker.set_source("audit", replace(SOURCE, reason="old"), old)

    assert await broker.state("audit") == before


async def test_several_sources_at_once(broker: Broker) -> None:
    """One that comes from an old tenure is left out, and disturbs no other."""
    fence = await fence_of(broker, "a")
    new = (await lease(broker, "a", "new")).fence or 0

    await broker.set_sources({"audit": (SOURCE, fence - 1), "new": (SOURCE, new)})

    assert (await broker.state("audit")).source is None
    assert (await broker.state("new")).source == SOURCE


async def test_a_lease_runs_out(redis_server: RedisServer, redis_broker: RedisBroker) -> None:
    """A watcher that was killed makes room in less than the promised 5 s; one's own lapsed tenure is another one."""
    await lease(redis_broker, "killed")

    async def has_changed_hands() -> bool:
        return (await lease(redis_broker, "other")).fence is not None

    await await_until("the lease has run out", has_changed_hands, timeout_s=LEASE_S + 1)
    now_s = 0.0
    memory = MemoryBroker(lambda: now_s)
    await lease(memory, "a")
    now_s += LEASE_S
    assert await fence_of(memory, "a") == 2


async def test_no_fence_comes_again(redis_server: RedisServer, redis_broker: RedisBroker) -> None:
    """After a loss of its data, who led before is refused, even when another has taken the lease since."""
    old = await fence_of(redis_broker, "a")
    client = redis.asyncio.Redis.from_url(redis_server.url)
    await client.flushall()
    await client.aclose()
    with pytest.raises(BrokerFenced):
        await redis_broker.publish("audit", publication(1), old)
    new = await fence_of(redis_broker, "b")
    assert (await redis_broker.publish("audit", publication(2), new)).changed

    with pytest.raises(BrokerFenced):
        await redis_broker.publish("audit", publication(1), old)
