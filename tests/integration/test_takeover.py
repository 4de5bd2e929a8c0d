"""What a new leader must not do: publish what it read before, repeat what others did, or forget what it refused."""

import threading
from pathlib import Path

import pytest
import redis.asyncio
import watcher.arming
import watcher.lookout
from reportcast.broker.base import Lease
from reportcast.broker.keys import keys_of
from reportcast.broker.memory import MemoryBroker
from reportcast.broker.redis import RedisBroker
from reportcast.contracts.messages import Refreshed, Snapshot, SourceState
from watcher.reader import Fingerprint, Reader, Reading

from tests.integration.test_watcher import READS, replace, served, wait_counted, wait_served, wait_source
from tests.support.redis_server import RedisServer
from tests.support.reports import audit_bytes, publication
from tests.support.running import CHANNEL, RunningWatcher, running_watcher
from tests.support.wait import await_until
from tests.support.whole import wholes

LEADER = "reportcast_watcher_leader"


@pytest.fixture(params=["inotify", "polling"])
def mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let changes be told by events, or by looking, as on a file system that inotify is deaf for."""
    if request.param == "polling":
        monkeypatch.setattr(watcher.arming, "why_no_events", lambda fs_type: "as if this were nfs4")
    return str(request.param)


async def lead(broker: MemoryBroker) -> int:
    """Lead as another watcher; give the fence."""
    (lease,) = await broker.lease([CHANNEL], "other")
    assert isinstance(lease, Lease)
    assert lease.fence is not None
    return lease.fence


async def take_over(broker: MemoryBroker, watching: RunningWatcher) -> None:
    """End the other watcher, and wait until ours leads."""
    await broker.release([CHANNEL], "other")
    await await_until("it leads", lambda: watching.metric(LEADER))


async def test_a_torn_file_at_the_takeover_leaves_the_newest_served(
    memory_broker: MemoryBroker, tmp_path: Path, mode: str
) -> None:
    """What was read while standing by is older than what the last leader published."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    fence = await lead(memory_broker)
    async with running_watcher(memory_broker, path, report_poll_s=0.05) as watching:
        await wait_counted(watching, READS, 1)
        await memory_broker.publish(CHANNEL, publication(2), fence)
        replace(path, b'{"half')
        await take_over(memory_broker, watching)
        await wait_source(memory_broker, SourceState.REJECTED)

        assert await served(memory_broker) == publication(2).body
        assert len(await memory_broker.history(CHANNEL)) == 1
        replace(path, audit_bytes(3))
        await wait_served(memory_broker, audit_bytes(3))


async def test_a_change_at_the_takeover_is_published_once(
    memory_broker: MemoryBroker, tmp_path: Path, mode: str
) -> None:
    """The sweep is a minute away: the new leader reads by itself, whatever tells it of changes."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    fence = await lead(memory_broker)
    await memory_broker.publish(CHANNEL, publication(1), fence)
    async with running_watcher(memory_broker, path, report_poll_s=0.05) as watching:
        await wait_counted(watching, READS, 1)
        replace(path, audit_bytes(2))
        await take_over(memory_broker, watching)
        await wait_served(memory_broker, audit_bytes(2))

    assert len(await memory_broker.history(CHANNEL)) == 2


async def test_a_trigger_that_was_heard_while_standing_by_is_not_repeated(
    memory_broker: MemoryBroker, tmp_path: Path
) -> None:
    """It was the leader's to answer; clients get nothing again at the takeover."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    fence = await lead(memory_broker)
    await memory_broker.publish(CHANNEL, publication(1), fence)
    async with running_watcher(memory_broker, path) as watching, memory_broker.subscribe(CHANNEL) as messages:
        await wait_counted(watching, READS, 1)
        await memory_broker.request_refresh(CHANNEL)
        await wait_counted(watching, READS, 2)
        await take_over(memory_broker, watching)
        replace(path, audit_bytes(2))
        everything = wholes(memory_broker, CHANNEL, messages)
        seen = [await anext(everything)]
        while not isinstance(seen[-1], Snapshot):
            seen.append(await anext(everything))

    assert not [message for message in seen if isinstance(message, Refreshed)]


async def test_what_was_refused_while_standing_by_is_kept(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """Who leads now decides anew, and hands it on."""
    path = tmp_path / "r.json"
    path.write_bytes(b"[]")
    await lead(memory_broker)
    async with running_watcher(memory_broker, path) as watching:
        await wait_counted(watching, READS, 1)
        assert await memory_broker.rejections(CHANNEL) == []
        await take_over(memory_broker, watching)

        async def is_kept() -> bool:
            return len(await memory_broker.rejections(CHANNEL)) == 1

        await await_until("it is kept", is_kept)


async def test_the_known_report_stands_in_for_a_bad_file_in_an_empty_broker(
    redis_server: RedisServer, redis_broker: RedisBroker, tmp_path: Path
) -> None:
    """Redis loses its data while the file is bad: the last good report is served again."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    async with running_watcher(redis_broker, path):
        await wait_served(redis_broker, audit_bytes(1))
        replace(path, b"[]")
        await wait_source(redis_broker, SourceState.REJECTED)
        async with redis.asyncio.Redis.from_url(redis_server.url) as client:
            await client.flushall()

        await wait_served(redis_broker, audit_bytes(1))
        await wait_source(redis_broker, SourceState.REJECTED)


async def test_a_stream_that_somebody_else_moved_on_is_put_right(redis_broker: RedisBroker, tmp_path: Path) -> None:
    """As a command of an earlier watcher that the network has delayed."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(2))
    async with running_watcher(redis_broker, path):
        await wait_served(redis_broker, audit_bytes(2))
        await redis_broker.publish(CHANNEL, publication(1))
        await wait_served(redis_broker, audit_bytes(2))

    assert len(await redis_broker.history(CHANNEL)) == 3


async def test_a_channel_that_the_broker_refuses_disturbs_no_other(
    redis_server: RedisServer, redis_broker: RedisBroker, tmp_path: Path
) -> None:
    """It is told in the readiness, and comes once the broker takes it."""
    paths = {"good": tmp_path / "good.json", "bad": tmp_path / "bad.json"}
    for path in paths.values():
        path.write_bytes(b"[1]")
    async with redis.asyncio.Redis.from_url(redis_server.url) as client:
        await client.set(keys_of("bad").state, "of another kind", ex=60)
        async with running_watcher(redis_broker, reports=paths) as watching:
            await await_until("it is told", lambda: list(watching.health.failing) == ["channel bad"])

            async def is_published() -> bool:
                return (await redis_broker.position("good")) is not None

            await await_until("the other is published", is_published)
            await client.delete(keys_of("bad").state)
            await await_until("it is ready", lambda: watching.health.is_ready)


class HoldingReader(Reader):
    """Takes its time with what it has read, while ``held`` is set."""

    held = threading.Event()
    go = threading.Event()

    def read_if_touched(self, known: Fingerprint | None) -> Reading | None:
        reading = super().read_if_touched(known)
        if self.held.is_set():
            self.go.wait()
        return reading


async def test_a_reading_from_before_the_takeover_is_not_published(
    memory_broker: MemoryBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was begun while standing by, and is older than what the last leader published; the file is bad by now."""
    monkeypatch.setattr(watcher.lookout, "Reader", HoldingReader)
    HoldingReader.held.set()
    HoldingReader.go.clear()
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    fence = await lead(memory_broker)
    async with running_watcher(memory_broker, path) as watching:
        await memory_broker.publish(CHANNEL, publication(2), fence)
        replace(path, b"[]")
        await take_over(memory_broker, watching)
        HoldingReader.held.clear()
        HoldingReader.go.set()
        await wait_source(memory_broker, SourceState.REJECTED)

        assert await served(memory_broker) == publication(2).body
    assert len(await memory_broker.history(CHANNEL)) == 1


async def test_a_file_system_that_hangs_from_the_start_is_told(
    memory_broker: MemoryBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what is kept on disk is served meanwhile; once it answers, the file's own report is."""
    monkeypatch.setattr(watcher.lookout, "Reader", HoldingReader)
    monkeypatch.setattr(watcher.lookout, "HUNG_S", 0.2)
    HoldingReader.held.set()
    HoldingReader.go.clear()
    path, history = tmp_path / "r.json", tmp_path / "history"
    path.write_bytes(audit_bytes(2))
    history.mkdir()
    (history / "2026-11-23T12:00:01Z.json").write_bytes(publication(1).body)
    async with running_watcher(memory_broker, path, history_dir=history):
        reason = await wait_source(memory_broker, SourceState.REJECTED)
        assert reason == "the file system has not answered for 0.2 s"
        await wait_served(memory_broker, audit_bytes(1))
        HoldingReader.held.clear()
        HoldingReader.go.set()
        await wait_served(memory_broker, audit_bytes(2))
        await wait_source(memory_broker, SourceState.LIVE)


async def test_readiness_comes_back_after_a_short_refusal(
    redis_server: RedisServer, redis_broker: RedisBroker, tmp_path: Path
) -> None:
    """One renewal is refused and the next is not: the same tenure goes on, and nothing changed meanwhile."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    async with (
        running_watcher(redis_broker, path) as watching,
        redis.asyncio.Redis.from_url(redis_server.url) as client,
    ):
        await wait_served(redis_broker, audit_bytes(1))
        await client.config_set("maxmemory", "1")
        try:
            await await_until("it is refused", lambda: not watching.health.is_ready)
        finally:
            await client.config_set("maxmemory", "0")
        await await_until("it is ready", lambda: watching.health.is_ready)
