"""What is particular in a cluster: channels are on several servers, and one call cannot be about all of them."""

import asyncio
import contextlib
from collections.abc import Iterator

import pytest
from reportcast.broker.base import Lease, Refresh
from reportcast.broker.errors import BrokerUnavailable
from reportcast.broker.keys import keys_of
from reportcast.broker.redis import RedisBroker
from reportcast.contracts.messages import Refreshed, Source, SourceState

from tests.support.redis_groups import Group, client_of, redis_cluster
from tests.support.reports import publication
from tests.support.wait import await_until

CHANNELS = ("audit", "dns", "backup", "disks", "certs")
# What is promised, from the promotion on.
RECOVERED_S = 2.0
SOURCE = Source(SourceState.LIVE, "2026-11-23T12:00:00.000Z")


@pytest.fixture
def own_cluster() -> Iterator[Group]:
    """Give a cluster that the test may do anything to."""
    with redis_cluster() as group:
        yield group


async def test_channels_on_several_servers(shared_cluster: Group, cluster_broker: RedisBroker) -> None:
    """Leases, sources and requests of all are had as if they were on one."""
    assert len({shared_cluster.master_of(keys_of(channel).state).port for channel in CHANNELS}) > 1

    leases = await cluster_broker.lease(CHANNELS, "a")
    fences = {name: lease.fence for name, lease in zip(CHANNELS, leases, strict=True) if isinstance(lease, Lease)}
    await cluster_broker.set_sources({name: (SOURCE, fence or 0) for name, fence in fences.items()})
    async with cluster_broker.refresh_requests(CHANNELS) as requests:
        answers = [await cluster_broker.request_refresh(channel) for channel in CHANNELS]
        heard = [await anext(requests) for _ in CHANNELS]
    sources = [(await cluster_broker.state(channel)).source for channel in CHANNELS]

    assert list(fences) == list(CHANNELS)
    assert answers == [Refresh.REQUESTED] * len(CHANNELS)
    assert sorted(heard) == sorted(CHANNELS)
    assert sources == [SOURCE] * len(CHANNELS)


async def test_a_failover_that_was_planned(shared_cluster: Group, cluster_broker: RedisBroker) -> None:
    """The old master lives on as a replica and names the new one: calls get there soon, and subscriptions too."""
    await cluster_broker.publish("audit", publication(1))
    state = keys_of("audit").state
    old = shared_cluster.master_of(state)
    with client_of(shared_cluster.replica_of(old)) as replica:
        replica.execute_command("CLUSTER FAILOVER")

    def is_demoted() -> bool:
        with contextlib.suppress(LookupError):
            return shared_cluster.master_of(state) is not old
        return False

    await await_until("the replica has taken over", is_demoted)
    with pytest.raises(BrokerUnavailable, match="another server has slot"):
        await cluster_broker.publish("audit", publication(2))

    async def is_published() -> bool:
        with contextlib.suppress(BrokerUnavailable):
            return (await cluster_broker.publish("audit", publication(2))).position.offset == 2
        return False

    await await_until("it is published", is_published, RECOVERED_S)
    async with cluster_broker.subscribe("audit") as messages:
        await cluster_broker.announce_refreshed("audit")
        assert await anext(messages) == Refreshed()


async def test_a_server_that_hangs_disturbs_only_its_channels(own_cluster: Group) -> None:
    """The leases of the others are renewed; a subscription to all ends, and says why."""
    broker = RedisBroker(own_cluster.url)
    await broker.lease(CHANNELS, "a")
    hanging = own_cluster.master_of(keys_of("audit").state)
    affected = {name for name in CHANNELS if own_cluster.master_of(keys_of(name).state) is hanging}
    async with broker.refresh_requests(CHANNELS) as requests:
        hanging.pause()
        leases = await broker.lease(CHANNELS, "a")
        async with asyncio.timeout(5):
            with pytest.raises(BrokerUnavailable):
                await anext(requests)
    hanging.resume()

    away = {name for name, lease in zip(CHANNELS, leases, strict=True) if isinstance(lease, BrokerUnavailable)}
    assert 0 < len(affected) < len(CHANNELS)
    assert away == affected
    await broker.close()


async def test_a_slot_without_an_owner_disturbs_only_its_channels(own_cluster: Group) -> None:
    """The leases of the others are renewed."""
    state = keys_of("audit").state
    for server in own_cluster.servers:
        with client_of(server) as client:
            client.config_set("cluster-require-full-coverage", "no")
    for server in own_cluster.masters():
        with client_of(server) as client:
            client.execute_command("CLUSTER DELSLOTS", client.execute_command("CLUSTER KEYSLOT", state))
    broker = RedisBroker(own_cluster.url)
    leases = await broker.lease(CHANNELS, "a")

    lost = [name for name, lease in zip(CHANNELS, leases, strict=True) if isinstance(lease, BrokerUnavailable)]
    assert lost == ["audit"]
    await broker.close()
