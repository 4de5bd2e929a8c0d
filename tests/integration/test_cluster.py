"""What is particular in a cluster: channels are on several servers, and one call cannot be about all of them."""

import asyncio
from collections.abc import Iterator

import pytest
from reportcast.broker.base import Lease, Refresh
from reportcast.broker.errors import BrokerUnavailable
from reportcast.broker.keys import keys_of
from reportcast.broker.redis import RedisBroker
from reportcast.contracts.messages import Source, SourceState

from tests.support.redis_groups import Group, redis_cluster

CHANNELS = ("audit", "dns", "backup", "disks", "certs")
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
