import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import redis
import uvloop
from reportcast.broker.base import Broker
from reportcast.broker.memory import MemoryBroker
from reportcast.broker.redis import RedisBroker

from tests.support.redis_groups import Group, redis_cluster, redis_sentinels, redis_with_tls
from tests.support.redis_server import RedisServer, real_redis, redis_process, valkey_binary
from tests.support.reports import publication
from tests.support.running import ADMIN_TOKEN, CHANNEL, Running, RunningGateway, live, running_gateway
from tests.support.wait import await_until


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run tests on the event loop that the services run on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    """One real Redis for the session, for tests that leave it running."""
    with real_redis() as server:
        yield server


@pytest.fixture
def redis_server(shared_redis: RedisServer) -> Iterator[RedisServer]:
    """Give a real, empty Redis; afterwards only documented keys may lack a time to live."""
    client = redis.Redis.from_url(shared_redis.url)
    client.flushall()
    yield shared_redis
    lasting = [key for key in client.scan_iter() if client.ttl(key) == -1]
    client.close()
    documented = (b":state", b":history", b":names", b":deltas", b":rejections", b":rejected")
    assert [key for key in lasting if not key.startswith(b"reportcast:{") or not key.endswith(documented)] == []


@pytest.fixture(autouse=True)
async def no_pending_tasks() -> AsyncIterator[None]:
    """Fail a test that leaves a task behind."""
    yield
    # Generators that a test left half way are closed by tasks of the event loop's own.
    await asyncio.get_running_loop().shutdown_asyncgens()
    await asyncio.sleep(0)
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task() and not task.done()]
    assert left == []


@pytest.fixture
async def memory_broker() -> MemoryBroker:
    """Give an in-process broker."""
    return MemoryBroker(asyncio.get_running_loop().time)


@pytest.fixture
async def redis_broker(redis_server: RedisServer) -> AsyncIterator[RedisBroker]:
    """Give a broker on a real Redis."""
    broker = RedisBroker(redis_server.url)
    yield broker
    await broker.close()


@pytest.fixture(scope="session")
def shared_tls() -> Iterator[str]:
    """One real Redis that wants TLS; its URL."""
    with redis_with_tls() as url:
        yield url


@pytest.fixture(scope="session")
def shared_valkey() -> Iterator[str]:
    """One real Valkey; its URL."""
    try:
        binary = valkey_binary()
    except FileNotFoundError as exc:
        pytest.skip(str(exc))
    with redis_process(binary=binary) as server:
        yield server.url


@pytest.fixture(scope="session")
def shared_sentinels() -> Iterator[Group]:
    """One real master with replicas and Sentinels, for tests that leave it running."""
    with redis_sentinels() as group:
        yield group


@pytest.fixture(scope="session")
def shared_cluster() -> Iterator[Group]:
    """One real cluster, for tests that leave it running."""
    with redis_cluster() as group:
        yield group


@pytest.fixture
async def tls_broker(shared_tls: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RedisBroker]:
    """Give a broker on an empty Redis by TLS."""
    # Twenty handshakes at a time, both ends of them here, take more than a second where much else runs.
    monkeypatch.setattr("reportcast.broker.redis_client.CONNECT_TIMEOUT_S", 10.0)
    async with empty_broker(shared_tls) as broker:
        yield broker


@pytest.fixture
async def valkey_broker(shared_valkey: str) -> AsyncIterator[RedisBroker]:
    """Give a broker on an empty Valkey."""
    async with empty_broker(shared_valkey) as broker:
        yield broker


@contextlib.asynccontextmanager
async def empty_broker(url: str) -> AsyncIterator[RedisBroker]:
    """Give a broker on a server that is emptied first."""
    with redis.Redis.from_url(url) as client:
        client.flushall()
    broker = RedisBroker(url)
    yield broker
    await broker.close()


@pytest.fixture
async def sentinel_broker(shared_sentinels: Group) -> AsyncIterator[RedisBroker]:
    """Give a broker on the empty master that Sentinels name."""
    shared_sentinels.flush()
    broker = RedisBroker(shared_sentinels.url)
    yield broker
    await broker.close()


@pytest.fixture
async def cluster_broker(shared_cluster: Group) -> AsyncIterator[RedisBroker]:
    """Give a broker on an empty cluster."""
    shared_cluster.flush()
    broker = RedisBroker(shared_cluster.url)
    yield broker
    await broker.close()


@pytest.fixture(params=["memory_broker", "redis_broker"])
def broker(request: pytest.FixtureRequest) -> Broker:
    """Give each kind of broker in turn."""
    chosen: Broker = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture(params=[True, False], ids=["hand-off", "asgi"])
def running(request: pytest.FixtureRequest) -> Running:
    """Give ``running_gateway`` on each kind of transport in turn."""
    return functools.partial(running_gateway, hands_off=request.param)


@pytest.fixture
async def gateway(memory_broker: MemoryBroker) -> AsyncIterator[RunningGateway]:
    """Give a gateway that has a report, and a watcher's word that all is well."""
    await memory_broker.publish(CHANNEL, publication(1))
    await memory_broker.set_source(CHANNEL, live())
    async with running_gateway(memory_broker, gateway_admin_token=ADMIN_TOKEN) as running:
        await await_until("it has the report", lambda: running.feed.audiences.plain.hub.newest)
        yield running
