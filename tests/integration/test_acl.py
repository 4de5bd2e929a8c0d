"""The users of ops/redis/users.acl: they can do all that the services do, and nothing else."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from reportcast.broker.base import Lease, Refresh
from reportcast.broker.errors import BrokerRefused
from reportcast.broker.keys import keys_of
from reportcast.broker.redis import RedisBroker
from reportcast.contracts.messages import Rejection, Source, SourceState
from websockets.sync.client import connect

from tests.support.commands import receive, running, wait_ready
from tests.support.ports import free_port
from tests.support.redis_server import RedisProcess, redis_process
from tests.support.reports import MOMENT, audit, audit_bytes, publication
from tests.support.wait import wait_until

ROOT = Path(__file__).parents[2]
PASSWORD = "open sesame"
KEYS = keys_of("audit")
# Of a command, and of one in a script.
REFUSAL = "permission|(can't|can not|cannot) (run|access)"
SOURCE = Source(SourceState.LIVE, "2026-11-23T12:00:00.000Z")
REJECTION = Rejection(MOMENT, "r.json", "syntax", "report is empty", 1, 1, 3, "ab", "no diff")


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[RedisProcess]:
    """Give a Redis with these users, set up as the file says."""
    digest = hashlib.sha256(PASSWORD.encode()).hexdigest()
    lines = (ROOT / "ops/redis/users.acl").read_text().splitlines()
    users = tmp_path / "users.acl"
    users.write_text("\n".join(f"{line} #{digest}" if line.startswith("user reportcast") else line for line in lines))
    with redis_process("--include", str(users)) as server:
        yield server


def url_of(server: RedisProcess, service: str) -> str:
    """Give what a service has as REDIS_URL."""
    return server.url.replace("redis://", f"redis://reportcast-{service}:{PASSWORD.replace(' ', '%20')}@")


@pytest.fixture
async def watcher_broker(guarded: RedisProcess) -> AsyncIterator[RedisBroker]:
    """Give the watcher's broker."""
    broker = RedisBroker(url_of(guarded, "watcher"))
    yield broker
    await broker.close()


@pytest.fixture
async def gateway_broker(guarded: RedisProcess) -> AsyncIterator[RedisBroker]:
    """Give the gateway's broker."""
    broker = RedisBroker(url_of(guarded, "gateway"))
    yield broker
    await broker.close()


async def test_each_service_can_do_what_it_does(watcher_broker: RedisBroker, gateway_broker: RedisBroker) -> None:
    """All calls of the watcher, and all of the gateway; also the rarer ways through the scripts."""
    (lease,) = await watcher_broker.lease(["audit"], "a")
    assert isinstance(lease, Lease)
    fence = lease.fence or 0
    async with gateway_broker.subscribe("audit") as messages, watcher_broker.refresh_requests(["audit"]) as requests:
        await watcher_broker.restore("audit", publication("old", "1"), fence)
        for mark in range(3):
            await watcher_broker.publish("audit", publication(mark), fence)
        await watcher_broker.set_source("audit", SOURCE, fence)
        await watcher_broker.set_sources({"audit": (SOURCE, fence)})
        await watcher_broker.announce_refreshed("audit")
        await watcher_broker.reject("audit", REJECTION, b"x")
        heard = [await anext(messages) for _ in range(6)]
        assert await gateway_broker.request_refresh("audit") is Refresh.REQUESTED
        assert await anext(requests) == "audit"
    state = await gateway_broker.state("audit")
    names = await gateway_broker.history("audit")
    (rejection,) = await gateway_broker.rejections("audit")
    await watcher_broker.release(["audit"], "a")

    assert await watcher_broker.time()
    assert await gateway_broker.time()
    assert len(heard) == 6
    assert state.snapshot
    assert state.snapshot.position == await gateway_broker.position("audit")
    assert await gateway_broker.past_report("audit", names[0]) == state.snapshot
    assert list(await gateway_broker.offsets("audit")) == names
    assert await gateway_broker.rejected_content("audit", rejection.id) == b"x"
    assert (await watcher_broker.state("audit")).snapshot == state.snapshot
    assert await watcher_broker.rejections("audit") == [rejection]


async def test_a_gateway_cannot_publish(watcher_broker: RedisBroker, gateway_broker: RedisBroker) -> None:
    """Neither a report, nor how a file fares, nor a lease, nor what is refused, whatever becomes of it."""
    await watcher_broker.publish("audit", publication(1))
    before = await watcher_broker.state("audit")

    for call in (
        gateway_broker.publish("audit", publication(2)),
        gateway_broker.set_source("audit", SOURCE),
        gateway_broker.announce_refreshed("audit"),
        gateway_broker.reject("audit", REJECTION, b"x"),
        gateway_broker.release(["audit"], "a"),
    ):
        with pytest.raises(BrokerRefused, match=REFUSAL):
            await call

    assert await watcher_broker.state("audit") == before


FORGED = "return redis.call('HSET', KEYS[1], 'message', 'x')"


@pytest.mark.parametrize(
    ("service", "command"),
    [
        pytest.param("gateway", ("HSET", KEYS.state, "message", "x"), id="write-state"),
        pytest.param("gateway", ("EVAL", FORGED, 1, KEYS.state), id="write-state-by-script"),
        pytest.param("gateway", ("EVAL", "return redis.call('GET', 'other')", 0), id="read-other-by-script"),
        pytest.param("gateway", ("PUBLISH", KEYS.messages, "x"), id="publish-message"),
        pytest.param("gateway", ("SUBSCRIBE", KEYS.requests), id="hear-requests"),
        pytest.param("gateway", ("SET", KEYS.lease, "x"), id="take-lease"),
        pytest.param("gateway", ("HMGET", "other", "x"), id="read-other"),
        pytest.param("gateway", ("KEYS", "*"), id="list"),
        pytest.param("gateway", ("FLUSHALL",), id="flush"),
        pytest.param("gateway", ("CONFIG", "GET", "*"), id="config"),
        pytest.param("gateway", ("ACL", "LIST"), id="acl"),
        pytest.param("watcher", ("SET", "other", "x"), id="watcher-writes-other"),
        pytest.param("watcher", ("SET", KEYS.throttle, "x"), id="watcher-throttles"),
        pytest.param("watcher", ("PUBLISH", KEYS.requests, "x"), id="watcher-requests"),
        pytest.param("watcher", ("SUBSCRIBE", KEYS.messages), id="watcher-follows"),
        pytest.param("watcher", ("FLUSHALL",), id="watcher-flushes"),
        pytest.param("watcher", ("CONFIG", "GET", "*"), id="watcher-config"),
    ],
)
def test_what_is_not_needed_is_refused(guarded: RedisProcess, service: str, command: tuple[Any, ...]) -> None:
    """By Redis itself."""
    client: Any = redis.Redis.from_url(url_of(guarded, service))
    with client, pytest.raises(redis.ResponseError, match=REFUSAL):
        client.execute_command(*command)


def test_nobody_else_gets_in(guarded: RedisProcess) -> None:
    """The default user is off, and a user without a password cannot log in either."""
    with redis.Redis.from_url(guarded.url) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_a_watcher_and_a_gateway_with_these_users(guarded: RedisProcess, tmp_path: Path) -> None:
    """The real commands: a change reaches a client, a trigger reaches the watcher."""
    report = tmp_path / "r.json"
    report.write_bytes(audit_bytes(1))
    ports = [free_port(), free_port()]
    with (
        running(
            "reportcast-watcher",
            REDIS_URL=url_of(guarded, "watcher"),
            REPORT_FILE=str(report),
            WATCHER_PORT=str(ports[0]),
            HISTORY_DIR=str(tmp_path / "history"),
        ),
        running("reportcast-gateway", REDIS_URL=url_of(guarded, "gateway"), GATEWAY_PORT=str(ports[1])),
    ):
        for port in ports:
            wait_ready(port)
        with connect(f"ws://127.0.0.1:{ports[1]}/ws") as client:
            assert receive(client) == audit(1)
            report.write_bytes(audit_bytes(2))
            assert receive(client) == audit(2)

            def is_heard() -> bool:
                return httpx.post(f"http://127.0.0.1:{ports[1]}/api/ws/trigger-update").is_success

            wait_until("a trigger is heard", is_heard)
            assert receive(client) == audit(2)
        status = f"http://127.0.0.1:{ports[1]}/api/ws/status"
        wait_until("the canary comes back", lambda: httpx.get(status).json()["probe"]["state"] == "up")
