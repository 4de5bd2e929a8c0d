"""Several watchers on one file: one leads, the others stand by."""

import signal
import time
from pathlib import Path

import pytest
import redis
from reportcast.broker.base import LEASE_S, RENEW_S, Broker
from reportcast.broker.keys import keys_of
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.messages import Snapshot, Source, decode_message
from reportcast.contracts.report import parse_report

from tests.integration.test_watcher import replace, served, wait_served
from tests.support.commands import running, wait_ready
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer
from tests.support.reports import audit_bytes
from tests.support.running import CHANNEL, RunningWatcher, running_watcher
from tests.support.wait import await_until, wait_until

LEADER = "reportcast_watcher_leader"
READS = "reportcast_watcher_reads_total"


async def leader_of(*watchers: RunningWatcher) -> int:
    """Wait until exactly one leads; give which."""
    await await_until("one leads", lambda: sum(each.metric(LEADER) for each in watchers) == 1)
    return [each.metric(LEADER) for each in watchers].index(1)


async def test_two_watchers_publish_each_content_once(broker: Broker, tmp_path: Path) -> None:
    """Both see every change; the one that leads publishes it, and the other does not."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(0))
    async with running_watcher(broker, path) as first, running_watcher(broker, path) as second:
        await leader_of(first, second)
        for mark in range(20):
            replace(path, audit_bytes(mark))
            await wait_served(broker, audit_bytes(mark))
        await await_until("both have read it", lambda: min(first.metric(READS), second.metric(READS)) >= 20)

        published = [each.metric("reportcast_watcher_published_total") for each in (first, second)]

    assert sorted(published) == [0, 20]
    assert len(await broker.history(CHANNEL)) == 20


async def test_a_watcher_with_an_older_copy_stands_by(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """It sees another file than the one that leads; what is served does not take turns."""
    paths = [tmp_path / "new" / "r.json", tmp_path / "old" / "r.json"]
    for mark, path in zip((2, 1), paths, strict=True):
        path.parent.mkdir()
        path.write_bytes(audit_bytes(mark))
    async with running_watcher(memory_broker, paths[0]) as first:
        await wait_served(memory_broker, audit_bytes(2))
        async with running_watcher(memory_broker, paths[1], report_sweep_s=0.1) as second:
            await await_until("the other has swept many times", lambda: second.metric(READS) > 10)
            assert (first.metric(LEADER), second.metric(LEADER)) == (1, 0)
            replace(paths[1], audit_bytes(0))
            await await_until("it has swept again", lambda: second.metric(READS) > 20)

    assert await memory_broker.history(CHANNEL) == [f"{parse_report(audit_bytes(2)).stem}.json"]


async def test_the_next_leads_at_once_when_the_leader_ends(broker: Broker, tmp_path: Path) -> None:
    """The lease is given up, and what changed in between is published by the next."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    async with running_watcher(broker, path) as first:
        await wait_served(broker, audit_bytes(1))
        async with running_watcher(broker, path) as second:
            await await_until("it stands by", lambda: second.metric(READS) > 0 and first.metric(LEADER))
            first.stop()
            began = time.monotonic()
            replace(path, audit_bytes(2))
            await wait_served(broker, audit_bytes(2))

            assert time.monotonic() - began < LEASE_S  # by a lease that ran out, it would be that at least
            assert second.metric(LEADER) == 1

    assert len(await broker.history(CHANNEL)) == 2


async def test_a_tenure_begins_with_a_fresh_look(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """What was read before it may be older than what the last leader published: the file is read again first."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    await memory_broker.lease([CHANNEL], "other")
    async with running_watcher(memory_broker, path) as watching:
        await await_until("it has read the file", lambda: watching.metric(READS) > 0)
        reads = watching.metric(READS)
        await memory_broker.release([CHANNEL], "other")
        await await_until("it leads", lambda: watching.metric(LEADER))
        await wait_served(memory_broker, audit_bytes(1))

        assert watching.metric(READS) > reads


def stream(redis_server: RedisServer) -> list[Snapshot]:
    """Give all that was published, oldest first."""
    with redis.Redis.from_url(redis_server.url) as client:
        messages = [decode_message(fields[b"message"]) for _, fields in client.xrange(keys_of(CHANNEL).history)]
    return [message for message in messages if isinstance(message, Snapshot)]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
def test_failover(redis_server: RedisServer, tmp_path: Path, number: signal.Signals) -> None:
    """
    The leader is killed or frozen in the middle of many changes: in 5 s the other leads.

    Offsets have no gap, no content comes twice, and one that wakes up again disturbs nothing.
    """
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(0))
    ports = [free_port(), free_port()]
    settings = {"REDIS_URL": redis_server.url, "REPORT_FILE": str(path)}
    with (
        running("reportcast-watcher", **settings, WATCHER_PORT=str(ports[0])) as leader,
        running("reportcast-watcher", **settings, WATCHER_PORT=str(ports[1])),
    ):
        wait_ready(ports[0])
        wait_until("the first report is published", lambda: len(stream(redis_server)) == 1)
        for mark in range(1, 10):
            replace(path, audit_bytes(mark))
        leader.send_signal(number)
        began = time.monotonic()
        replace(path, audit_bytes(10))
        newest = parse_report(audit_bytes(10)).body

        wait_until("the newest is published", lambda: stream(redis_server)[-1].body == newest)

        assert time.monotonic() - began < LEASE_S + RENEW_S + 1
        leader.send_signal(signal.SIGCONT)
        for mark in range(11, 30):
            replace(path, audit_bytes(mark))
        newest = parse_report(audit_bytes(29)).body
        wait_until("the newest is published", lambda: stream(redis_server)[-1].body == newest)
        published = stream(redis_server)
        if number is signal.SIGKILL:
            leader.wait()
    assert [each.offset for each in published] == list(range(1, len(published) + 1))
    assert len({each.digest for each in published}) == len(published)
    moments = [parse_report(each.body).timestamp or "" for each in published]
    assert moments == sorted(moments)


async def test_only_the_leader_tells_of_the_file(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """The one that stands by sees a bad file, and clients are told what the leader sees."""
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_bytes(audit_bytes(1))
    bad.write_bytes(b"[]")
    async with running_watcher(memory_broker, good):
        await wait_served(memory_broker, audit_bytes(1))
        async with running_watcher(memory_broker, bad) as second:
            await await_until(
                "it has refused", lambda: second.metric("reportcast_watcher_rejected_total", reason="shape")
            )

            source = (await memory_broker.state(CHANNEL)).source
            assert isinstance(source, Source)
            assert source.state.value == "live"
            assert await memory_broker.rejections(CHANNEL) == []
            assert await served(memory_broker) == parse_report(audit_bytes(1)).body
