"""The self-probe, end to end: what it proves while all is well, and which hop it names when one is killed."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gateway.feed import Feed
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.canary import is_expected, read_canary
from reportcast.contracts.channels import CANARY
from reportcast.contracts.messages import SourceState
from websockets.asyncio.client import ClientConnection

from tests.support.commands import running, wait_ready
from tests.support.ports import free_port
from tests.support.redis_server import RedisProcess, redis_gone, redis_process
from tests.support.reports import audit_bytes
from tests.support.running import ADMIN_TOKEN, Running, RunningGateway, running_gateway, running_watcher
from tests.support.wait import await_until, wait_until

EVERY_S = 0.2
NAMED_WITHIN_S = 10.0


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """Give a report that does not change."""
    path = tmp_path / "GitRepoReport.json"
    path.write_bytes(audit_bytes(1))
    return path


@pytest.fixture
async def canary(memory_broker: MemoryBroker, report: Path, tmp_path: Path) -> AsyncIterator[Path]:
    """Give the file of a watcher's canary, in a folder of its own."""
    path = tmp_path / "canaries" / "canary.json"
    path.parent.mkdir()
    async with running_watcher(memory_broker, report, report_canary_s=EVERY_S, report_canary_file=path):
        yield path


@contextlib.asynccontextmanager
async def probed(running: Running, broker: MemoryBroker, **settings: Any) -> AsyncIterator[RunningGateway]:
    """Run a gateway whose probe is up."""
    async with running(broker, gateway_self_probe=True, **settings) as gateway:
        await await_until("the probe is up", lambda: state_of(gateway) == "up")
        yield gateway


def state_of(gateway: RunningGateway) -> str:
    assert gateway.feeds.probe
    return str(gateway.feeds.probe.tell()["state"])


def hidden_feed(gateway: RunningGateway) -> Feed:
    assert gateway.feeds.probe
    return gateway.feeds.probe.feeds.first


async def readiness(gateway: RunningGateway) -> tuple[int, Any]:
    """Ask ``/readyz``; of the probe, give the hop."""
    answer = await gateway.http.get("readyz")
    return answer.status_code, answer.json()["probe"]["hop"]


@pytest.mark.usefixtures("canary")
async def test_the_canary_comes_back(running: Running, memory_broker: MemoryBroker) -> None:
    """Through names, limits and the token that clients have, over either transport; how long it took is told."""
    limits: dict[str, Any] = {"gateway_max_connections": 1, "gateway_handshakes_per_s": 1}
    door: dict[str, Any] = {"gateway_allowed_hosts": ("*.example", "127.0.0.1"), "gateway_read_token": ADMIN_TOKEN}
    async with probed(running, memory_broker, **door, **limits) as gateway:
        gateway.http.headers["Authorization"] = f"Bearer {ADMIN_TOKEN}"
        assert gateway.feeds.probe
        probe = gateway.feeds.probe
        await await_until("a new canary has come back", lambda: probe.tell()["lastRoundTrip"])

        status = await gateway.status()

        assert status["probe"]["state"] == "up"
        assert 0 <= status["probe"]["lastRoundTrip"]["seconds"] < 5
        assert (await gateway.http.get("readyz")).json()["probe"]["hop"] is None
        assert await gateway.metric("reportcast_gateway_probe_up") == 1
        assert await gateway.metric("reportcast_gateway_probe_seconds_count") >= 1


@pytest.mark.usefixtures("canary")
async def test_the_probe_is_no_client(memory_broker: MemoryBroker) -> None:
    """It is in no count and no list, and what it follows is not served to anybody else."""
    async with probed(running_gateway, memory_broker, gateway_admin_token=ADMIN_TOKEN) as gateway:
        assert len(hidden_feed(gateway).roster) == 1
        clients = await gateway.http.get("api/ws/clients", headers={"Authorization": f"Bearer {ADMIN_TOKEN}"})

        assert clients.json()["count"] == len(gateway.feeds.roster) == gateway.feeds.admission.connections == 0
        assert list((await gateway.status())["channels"]) == ["audit"]
        exposition = (await gateway.http.get("metrics")).text
        assert 'reportcast_gateway_connections{transport="websocket"} 0.0' in exposition
        assert 'reportcast_gateway_opened_total{transport="websocket"} 0.0' in exposition
        assert CANARY not in exposition
        assert (await gateway.http.get("audit", params={"channel": CANARY})).status_code == 404
        async with gateway.connect_v1(f"channel={CANARY}", additional_headers={"X-Reportcast-Probe": "x"}) as client:
            assert json.loads(await client.recv())["channels"] == ["audit"]
            assert json.loads(await client.recv())["code"] == "unknown_channel"


async def test_the_file_hop(memory_broker: MemoryBroker, canary: Path) -> None:
    """A canary that cannot be written degrades every channel, and takes no readiness; it heals."""
    gone = canary.parent.with_name("gone")
    async with probed(running_gateway, memory_broker) as gateway:
        canary.parent.rename(gone)

        await await_until("the file is named", lambda: readiness_is(gateway, 200, "file"), NAMED_WITHIN_S)

        status = await gateway.status()
        assert (status["status"], status["channels"]) == ("degraded", {"audit": "degraded"})
        assert status["reasons"] == [f"the self-probe fails at the hop file: {status['probe']['reason']}"]
        assert await gateway.metric("reportcast_gateway_probe_up") == 0
        assert await gateway.metric("reportcast_gateway_probe_failing", hop="file") == 1
        gone.rename(canary.parent)
        await await_until("it is up again", lambda: state_of(gateway) == "up")
        assert (await gateway.status())["status"] == "healthy"
        assert await gateway.metric("reportcast_gateway_probe_failing", hop="file") == 0


async def readiness_is(gateway: RunningGateway, code: int, hop: str | None) -> bool:
    return await readiness(gateway) == (code, hop)


def give_nothing(feed: Feed) -> Callable[[], None]:
    """Let the hub take the probe for a client that does not read; give what ends that."""
    [connection] = feed.roster.connections
    connection.session.pause(connection)
    return lambda: connection.session.resume(connection)


def refuse(gateway: RunningGateway) -> Callable[[], None]:
    """Close the probe's connection, and each that it opens; give what ends that."""
    assert gateway.feeds.probe
    feeds = gateway.feeds.probe.feeds
    feeds.is_draining = True
    for connection in list(feeds.roster.connections):
        feeds.roster.retire(connection)
    return lambda: setattr(feeds, "is_draining", False)


@pytest.mark.alone
@pytest.mark.usefixtures("canary")
async def test_the_websocket_hop(memory_broker: MemoryBroker) -> None:
    """A gateway that gives its clients nothing, or lets none in, is not ready, says why, and heals."""
    async with probed(running_gateway, memory_broker) as deaf, probed(running_gateway, memory_broker) as shut:
        ends = [give_nothing(hidden_feed(deaf)), refuse(shut)]

        await await_until("one is named", lambda: readiness_is(deaf, 503, "websocket"), NAMED_WITHIN_S)
        await await_until("so is the other", lambda: readiness_is(shut, 503, "websocket"), NAMED_WITHIN_S)

        answers = [(await gateway.http.get("readyz")).json()["failing"]["websocket"] for gateway in (deaf, shut)]
        assert "was not given to a client" in answers[0]
        assert "received 1012" in answers[1]
        for end in ends:
            end()
        await await_until("one is ready again", lambda: readiness_is(deaf, 200, None))
        await await_until("so is the other", lambda: readiness_is(shut, 200, None))


async def test_no_canary(memory_broker: MemoryBroker, report: Path) -> None:
    """A watcher without one says so when another had it, and it is not waited for."""
    async with running_watcher(memory_broker, report, report_canary_s=EVERY_S):
        await await_until("there is one", lambda: is_live(memory_broker))
    assert is_expected((await memory_broker.state(CANARY)).source)

    async with (
        running_watcher(memory_broker, report),
        running_gateway(memory_broker, gateway_self_probe=True) as gateway,
    ):
        await await_until("it is called off", lambda: is_called_off(memory_broker))

        await await_until("the probe knows", lambda: state_of(gateway) == "off")
        assert (await gateway.status())["status"] == "healthy"


async def test_a_websocket_without_a_canary(memory_broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is asked for a sign of life when it is silent, and stays open while it gives one."""
    asked: list[Any] = []
    send = ClientConnection.send

    async def counted(connection: ClientConnection, message: Any) -> None:
        asked.append(message)
        await send(connection, message)

    monkeypatch.setattr(ClientConnection, "send", counted)
    monkeypatch.setattr("gateway.probing.SILENCE_S", 0.1)
    async with running_gateway(memory_broker, gateway_self_probe=True) as gateway:
        await await_until("the probe is open", lambda: len(hidden_feed(gateway).roster))
        [opened] = hidden_feed(gateway).roster.connections

        await await_until("it was asked again and again", lambda: len(asked) > 5)

        assert list(hidden_feed(gateway).roster.connections) == [opened]


async def is_live(broker: MemoryBroker) -> bool:
    source = (await broker.state(CANARY)).source
    return source is not None and source.state is SourceState.LIVE


async def is_called_off(broker: MemoryBroker) -> bool:
    return not is_expected((await broker.state(CANARY)).source)


async def test_a_canary_that_another_has(memory_broker: MemoryBroker, report: Path) -> None:
    """Is not called off by a watcher that has none."""
    async with running_watcher(memory_broker, report, report_canary_s=EVERY_S):
        await await_until("there is one", lambda: is_live(memory_broker))
        async with running_watcher(memory_broker, report) as without:
            await await_until("the other has begun", lambda: without.health.is_ready)

            assert is_expected((await memory_broker.state(CANARY)).source)


async def test_the_private_folder(memory_broker: MemoryBroker, report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else may look into it, it is made again when it is cleaned up, and at the end it is gone."""
    monkeypatch.setattr("tempfile.tempdir", str(report.parent))
    async with running_watcher(memory_broker, report, report_canary_s=EVERY_S):
        [folder] = [await await_until("there is one", lambda: next(report.parent.glob("reportcast-canary-*"), None))]
        assert isinstance(folder, Path)
        file = folder / "canary.json"
        await await_until("it is written", file.exists)
        assert folder.stat().st_mode & 0o777 == 0o700
        folder.rename(report.parent / "cleaned-up")
        await await_until("it is written again", file.exists)
        assert read_canary(file.read_bytes())

    assert list(report.parent.glob("reportcast-canary-*")) == []


@contextlib.contextmanager
def named_within(hop: str, port: int) -> Iterator[None]:
    """Do something to a hop; the gateway has to name it in time, and no other before."""
    began_s = time.monotonic()
    yield
    found = wait_until(f"{hop} is named", lambda: probe_of(port)["hop"], NAMED_WITHIN_S)
    assert found == hop
    assert time.monotonic() - began_s < NAMED_WITHIN_S


def probe_of(port: int) -> dict[str, Any]:
    told: dict[str, Any] = httpx.get(f"http://127.0.0.1:{port}/api/ws/status").json()["probe"]
    return told


def wait_up(port: int) -> None:
    wait_until("the probe is up", lambda: probe_of(port)["state"] == "up")


@pytest.mark.alone
def test_each_process_is_killed(report: Path, tmp_path: Path) -> None:
    """The hop that it was is named within 10 s by both workers, the gateway stays ready, and all heals by itself."""
    gateway, folder = free_port(), tmp_path / "canaries"
    folder.mkdir()
    with redis_process() as redis, running_gateway_process(redis, gateway), contextlib.ExitStack() as watchers:
        settings = {
            "REDIS_URL": redis.url,
            "REPORT_FILE": str(report),
            "REPORT_CANARY_FILE": str(folder / "canary.json"),
            "REPORT_CANARY_S": "0.5",
            "WATCHER_PORT": "0",
        }
        doomed = watchers.enter_context(running("reportcast-watcher", **settings))
        wait_up(gateway)

        with named_within("broker", gateway), contextlib.ExitStack() as outage:
            outage.enter_context(redis_gone(redis))
            outages = outage.pop_all()
        assert httpx.get(f"http://127.0.0.1:{gateway}/readyz").status_code == 200
        outages.close()
        wait_up(gateway)

        with named_within("watcher", gateway):
            doomed.kill()
            doomed.wait()
        watchers.enter_context(running("reportcast-watcher", **settings))
        wait_up(gateway)


@contextlib.contextmanager
def running_gateway_process(redis: RedisProcess, port: int) -> Iterator[None]:
    with running("reportcast-gateway", REDIS_URL=redis.url, GATEWAY_PORT=str(port), GATEWAY_WORKERS="2"):
        wait_ready(port)
        yield


async def test_the_standalone_server_has_one(report: Path) -> None:
    """Watcher and gateway in one process."""
    port = free_port()
    with running("reportcast", "up", REPORT_FILE=str(report), GATEWAY_PORT=str(port), REPORT_CANARY_S="0.2"):
        wait_ready(port)
        wait_up(port)
        assert (await asyncio.to_thread(probe_of, port))["hop"] is None
