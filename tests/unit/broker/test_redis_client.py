"""Who is believed, and who is asked, when those who know which server has a key do not agree or do not answer."""

import asyncio

import pytest
from redis.crc import key_slot
from redis.exceptions import ClusterDownError
from reportcast.broker import redis_client
from reportcast.broker.redis_client import _BySentinel, _Cluster, _Map
from reportcast.broker.redis_url import Address, parse_redis_url

OLD, NEW = ("old", 1), ("new", 1)
HALF = range(8000)
LOW, HIGH = (
    next(key for key in map(str, range(99)) if (key_slot(key.encode()) in HALF) is low) for low in (True, False)
)


class Sentinels(_BySentinel):
    """Sentinels that answer what the test says."""

    def __init__(self, named: dict[str, Address]) -> None:
        super().__init__(parse_redis_url(f"redis+sentinel://{','.join(named)}/mymaster"))
        self.named = named

    async def _master_by(self, address: Address) -> Address:
        return self.named[address[0]]

    async def master(self) -> Address:
        """Give the one whose client a call would get."""
        client = await self.of("key")
        return next(address for address, each in self._clients.items() if each is client)


class Servers(_Cluster):
    """Servers of a cluster that answer what the test says; ``silent`` ones not at all."""

    def __init__(self, *hosts: str) -> None:
        super().__init__(parse_redis_url(f"redis+cluster://{','.join(f'{host}:1' for host in hosts)}"))
        self.silent: set[str] = set()
        self.ranges: list[tuple[range, Address]] = [(HALF, ("m0", 1)), (range(8000, 16_384), ("m1", 1))]

    async def _map_by(self, address: Address) -> _Map:
        if address[0] in self.silent:
            await asyncio.Event().wait()
        return _Map(address, self.ranges, [])


@pytest.fixture
def always_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Sentinels asked again by each call."""
    monkeypatch.setattr(redis_client, "ASK_AGAIN_S", 0.0)


@pytest.mark.usefixtures("always_due")
async def test_a_sentinel_that_missed_a_failover_is_not_believed() -> None:
    sentinels = Sentinels({"a": NEW, "b": NEW, "c": OLD})
    client = await sentinels.of("key")

    assert [await sentinels.of("key") for _ in range(6)] == [client] * 6
    sentinels.doubt("key")
    assert await sentinels.of("key") is client
    await sentinels.aclose()


@pytest.mark.usefixtures("always_due")
async def test_the_present_master_is_kept_while_sentinels_disagree() -> None:
    sentinels = Sentinels({"a": NEW, "b": NEW})
    await sentinels.of("key")
    sentinels.named["b"] = OLD

    assert {await sentinels.master() for _ in range(4)} == {NEW}
    await sentinels.aclose()


@pytest.mark.usefixtures("always_due")
async def test_a_master_that_most_sentinels_name_is_gone_to() -> None:
    sentinels = Sentinels(dict.fromkeys("abc", OLD))
    await sentinels.of("key")
    sentinels.named |= {"a": NEW, "b": NEW}

    assert NEW in {await sentinels.master() for _ in range(3)}
    await sentinels.aclose()


async def test_who_is_gone_from_a_cluster_is_forgotten() -> None:
    servers = Servers("svc")
    for number in range(9):
        servers.ranges = [(range(16_384), (f"m{number}", 1))]
        servers.doubt("key")
        await servers.of("key")

    assert set(servers._knowing) == {("svc", 1), ("m8", 1)}
    await servers.aclose()


async def test_servers_of_a_cluster_are_asked_together() -> None:
    """Two that are silent keep nobody waiting: the call has less time than they would be given."""
    servers = Servers("a", "b", "c")
    servers.silent = {"a", "b"}
    async with asyncio.timeout(redis_client.CONNECT_TIMEOUT_S / 2):
        await servers.of(LOW)
    await servers.aclose()


async def test_a_doubt_about_one_server_is_none_about_another() -> None:
    """Who asks for a key of a server that is well does not wait until it is known who took over."""
    servers = Servers("a", "b")
    client = await servers.of(HIGH)
    servers.silent = {"a", "b", "m0", "m1"}
    servers.doubt(LOW)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(servers.of(LOW))
        await asyncio.sleep(0)
        async with asyncio.timeout(redis_client.CONNECT_TIMEOUT_S / 2):
            assert await servers.of(HIGH) is client
        assert not waiting.done()
        waiting.cancel()
    await servers.aclose()


async def test_a_slot_without_an_owner() -> None:
    servers = Servers("a")
    servers.ranges = servers.ranges[1:]
    await servers.of(HIGH)

    with pytest.raises(ClusterDownError, match="no server of the cluster has slot"):
        await servers.of(LOW)
    await servers.aclose()


async def test_who_names_a_server_in_doubt_is_believed_last() -> None:
    servers = Servers("a", "b")
    await servers.of(LOW)
    stale, fresh = _Map(("m1", 1), servers.ranges, []), _Map(("a", 1), [(range(16_384), ("m1", 1))], [])

    async def map_by(address: Address) -> _Map:
        return fresh if address[0] == "a" else stale

    servers._map_by = map_by  # type: ignore[method-assign]
    servers.doubt(LOW)
    assert await servers.of(LOW) is await servers.of(HIGH)
    await servers.aclose()
