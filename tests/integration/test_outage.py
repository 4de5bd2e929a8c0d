"""Losing the broker, and getting it back."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import gateway.relay
import pytest
import redis.asyncio
import watcher.publisher
import watcher.tenure
from reportcast.broker.keys import keys_of
from reportcast.broker.memory import MemoryBroker
from reportcast.broker.redis import RedisBroker
from reportcast.contracts.body import PreparedBody
from reportcast.contracts.messages import encode_stamps

from tests.support.faults import DeafSubscription, LosesLinkOnce, PublishesWhileRead
from tests.support.redis_server import RedisServer, real_redis, redis_gone, redis_paused
from tests.support.reports import audit, audit_bytes, publication
from tests.support.running import CHANNEL, RunningGateway, running_gateway, running_watcher
from tests.support.wait import await_until


@pytest.fixture
async def own_redis() -> AsyncIterator[RedisServer]:
    """Give a Redis that the test may do anything to."""
    with real_redis() as server:
        yield server


@pytest.fixture(autouse=True)
def verify_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let both services look after the broker several times a second."""
    monkeypatch.setattr(gateway.relay, "VERIFY_S", 0.2)
    monkeypatch.setattr(gateway.relay, "GRACE_S", 0.2)
    monkeypatch.setattr(watcher.publisher, "HEARTBEAT_S", 0.2)
    monkeypatch.setattr(watcher.tenure, "RENEW_S", 0.2)


async def is_stale(running: RunningGateway, expected: bool) -> None:
    """Wait until the gateway says whether what it serves may be stale."""

    async def says_so() -> bool:
        return bool((await running.status())["stale"] is expected)

    await await_until(f"stale is {expected}", says_so, timeout_s=20)


def offset_of(running: RunningGateway) -> int:
    """Give where the gateway's replica stands."""
    return running.feed.replica.snapshot.offset if running.feed.replica.snapshot else 0


async def test_losing_redis_drops_no_client(own_redis: RedisServer, tmp_path: Path) -> None:
    """
    The last state stays served, marked stale.

    When Redis comes back empty the watcher publishes again, and clients get only what is new.
    """
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    broker = RedisBroker(own_redis.url)
    async with (
        running_watcher(broker, path, report_sweep_s=0.2) as watching,
        running_gateway(broker) as running,
        running.connect() as client,
    ):
        await await_until("the report is there", lambda: running.feed.replica.snapshot)
        while json.loads(await client.recv()).get("data") != audit(1):
            pass

        with redis_gone(own_redis):
            await is_stale(running, True)
            status = await running.status()
            assert status["status"] == "degraded"
            assert (await running.http.get("audit")).headers["X-Reportcast-Stale"] == "true"
            assert (await running.http.get("readyz")).status_code == 200
            history = await running.http.get("audit/history")
            assert (history.status_code, history.json()) == (503, {"error": "the broker does not answer; try again"})
            await await_until("the watcher is not ready", lambda: not watching.health.is_ready)
            async with running.connect() as late:
                assert json.loads(await late.recv())["data"] == audit(1)
            path.write_bytes(audit_bytes(2))
        await is_stale(running, False)

        assert json.loads(await client.recv())["data"] == audit(2)
        await await_until("the watcher is ready", lambda: watching.health.is_ready)
        await await_until("the source is told again", lambda: running.feed.replica.source)
        assert (await running.status())["status"] == "healthy"
    await broker.close()


async def test_an_emptied_redis_gets_the_same_report_again(own_redis: RedisServer, tmp_path: Path) -> None:
    """A new stream with the content that clients have: nothing is sent to them, and the next change is."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    broker = RedisBroker(own_redis.url)
    async with running_watcher(broker, path), running_gateway(broker) as running, running.connect() as client:
        while json.loads(await client.recv()).get("data") != audit(1):
            pass
        epoch = (await running.status())["report"]["epoch"]

        with redis_gone(own_redis):
            await is_stale(running, True)

        async def has_new_epoch() -> bool:
            return bool((await running.status())["report"]["epoch"] != epoch)

        await await_until("the stream began anew", has_new_epoch, timeout_s=20)
        path.write_bytes(audit_bytes(2))
        assert json.loads(await client.recv())["data"] == audit(2)
    await broker.close()


async def test_no_redis_at_start(own_redis: RedisServer, tmp_path: Path) -> None:
    """Both services start, are live but not ready, and become ready when it comes."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    broker = RedisBroker(own_redis.url)
    own_redis.kill()
    async with running_watcher(broker, path) as watching, running_gateway(broker) as running:
        assert (await running.http.get("healthz")).status_code == 200
        assert (await running.http.get("readyz")).status_code == 503
        assert not watching.health.is_ready

        own_redis.start()

        await await_until("the gateway is ready", lambda: running.feed.health.is_ready, timeout_s=20)
        await await_until("the report is there", lambda: running.feed.replica.snapshot, timeout_s=20)
        await await_until("the watcher is ready", lambda: watching.health.is_ready)
        assert await running.metric("reportcast_gateway_broker_retries_total") > 0
    await broker.close()


async def test_a_redis_that_hangs_is_noticed(own_redis: RedisServer) -> None:
    """Its connections stay open and nothing answers: the comparison of positions times out, and says so."""
    broker = RedisBroker(own_redis.url)
    await broker.publish(CHANNEL, publication(1))
    async with running_gateway(broker) as running:
        await is_stale(running, False)
        with redis_paused(own_redis):
            await is_stale(running, True)
        await is_stale(running, False)
    await broker.close()


async def test_a_half_open_subscription_is_noticed(memory_broker: MemoryBroker) -> None:
    """No error and no message: the stored position tells, and joining again brings what was missed."""
    deaf = DeafSubscription(memory_broker)
    async with running_gateway(deaf) as running, running.connect() as client:
        await client.recv()
        await memory_broker.publish(CHANNEL, publication(1))
        assert json.loads(await client.recv())["data"] == audit(1)
        deaf.deaf = True
        for mark in (2, 3):
            await memory_broker.publish(CHANNEL, publication(mark))

        assert json.loads(await client.recv())["data"] == audit(3)
        assert await running.metric("reportcast_gateway_missed_total") == 1


async def test_a_late_message_of_an_old_stream_changes_nothing(own_redis: RedisServer) -> None:
    """The stored state is read again, and it wins."""
    broker = RedisBroker(own_redis.url)
    await broker.publish(CHANNEL, publication(1))
    late = publication(9)
    header = b'{"type":"snapshot","epoch":"old","offset":9,"name":"old.json",' + encode_stamps(late)
    client = redis.asyncio.Redis.from_url(own_redis.url)
    async with running_gateway(broker) as running, running.connect() as browser:
        await is_stale(running, False)
        await client.publish(keys_of(CHANNEL).messages, header + b"\n" + late.body)
        await client.aclose()
        await is_stale(running, False)
        await broker.publish(CHANNEL, publication(2))
        seen: list[object] = []
        while not seen or seen[-1] != audit(2):
            seen.append(json.loads(await browser.recv()).get("data"))

    assert audit(9) not in seen
    await broker.close()


async def test_a_change_during_the_join_is_neither_lost_nor_doubled(memory_broker: MemoryBroker) -> None:
    """Published between subscribing and reading: read with the state, then known as a duplicate."""
    async with (
        running_gateway(PublishesWhileRead(memory_broker, publication(1))) as running,
        running.connect() as client,
    ):
        await await_until("it has joined", lambda: running.feed.relay.is_connected)
        await memory_broker.publish(CHANNEL, publication(2))
        seen: list[object] = []
        async with asyncio.timeout(5):
            while not seen or seen[-1] != audit(2):
                frame = json.loads(await client.recv())
                seen += [frame["data"]] if "data" in frame else []

    assert seen in ([audit(1), audit(2)], [audit(2)])


async def test_a_busy_watcher_is_heard_and_looks_after_the_broker(own_redis: RedisServer, tmp_path: Path) -> None:
    """A file that changes more often than the watcher verifies: its sign of life and its checks come all the same."""
    path = tmp_path / "r.json"
    broker = RedisBroker(own_redis.url)
    signs: set[object] = set()
    async with running_watcher(broker, path), running_gateway(broker) as running:
        for mark in range(1000):
            path.write_bytes(audit_bytes(mark))
            published = audit(mark)

            async def is_served(published: object = published) -> bool:
                answer = await running.http.get("audit")
                return bool(answer.is_success and answer.json() == published)

            await await_until("the change is served", is_served)
            source = (await broker.state(CHANNEL)).source
            signs.add(source and source.heard_at)
            if len(signs) >= 4:
                break

        assert len(signs) >= 4
        assert (await running.status())["status"] == "healthy"
    await broker.close()


async def test_a_trigger_brings_back_what_another_watcher_replaced(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """The file of the watcher that is there is what is served again, to everyone, once."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    async with running_watcher(memory_broker, path), running_gateway(memory_broker) as running:
        await await_until("the report is there", lambda: running.feed.replica.snapshot)
        await memory_broker.publish(CHANNEL, publication("stray"))
        await await_until("the stray is served", lambda: offset_of(running) == 2)

        assert (await running.http.post("api/ws/trigger-update")).status_code == 200

        await await_until("the file is served", lambda: offset_of(running) == 3)
        assert (await running.http.get("audit")).json() == audit(1)


async def test_a_link_that_breaks_while_a_report_is_compressed(
    memory_broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report was taken in but not given to anybody yet: it is, after joining again."""
    await memory_broker.publish(CHANNEL, publication(1))
    broker, going = LosesLinkOnce(memory_broker), asyncio.Event()
    async with running_gateway(broker) as running, running.connect(max_size=None) as client:
        await await_until("it has the report", lambda: running.feed.audiences.plain.hub.newest)
        compressor = running.feed.compressor
        deflated = compressor.deflated

        async def slowly(body: PreparedBody) -> bytes:
            going.set()
            await broker.broke.wait()
            return await deflated(body)

        monkeypatch.setattr(compressor, "deflated", slowly)
        await memory_broker.publish(CHANNEL, publication("x" * 100_000, "large"))
        await going.wait()
        broker.now = True
        while len(json.loads(await client.recv())["data"]["repos"][0]["name"]) < 100_000:
            pass

        newest = running.feed.audiences.plain.hub.newest
        assert newest is not None
        assert running.feed.replica.body is newest.frames[0].body
