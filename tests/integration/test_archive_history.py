"""The history that a watcher keeps on disk, and what becomes of it at a restart."""

import functools
import hashlib
import os
import time
from pathlib import Path

import pytest
from reportcast.broker.base import Broker
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.messages import Snapshot, SourceState
from reportcast.contracts.report import parse_report

from tests.integration.test_watcher import replace, wait_counted, wait_served, wait_source
from tests.support.archive import ERRORS, body, is_latest, kept
from tests.support.reports import audit_bytes
from tests.support.running import CHANNEL, running_watcher
from tests.support.wait import await_until


async def wait_kept(directory: Path, count: int) -> None:
    """Wait until so many reports are kept."""
    await await_until(f"{count} are kept", lambda: len(kept(directory)) == count)


async def publish(broker: Broker, path: Path, *marks: int) -> None:
    """Write reports one after the other, and see each of them published."""
    for mark in marks:
        replace(path, audit_bytes(mark))
        await wait_served(broker, audit_bytes(mark))


async def test_published_reports_are_kept(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """Under their own time and the broker's name, as clients got them; latest.json follows; each once."""
    path, history = tmp_path / "r.json", tmp_path / "history"
    for marks in ((1, 2), (2, 3)):
        async with running_watcher(memory_broker, path, history_dir=history):
            await publish(memory_broker, path, *marks)
            latest = body(marks[-1])
            await await_until("the latest is kept", functools.partial(is_latest, history, latest))

    assert kept(history) == ["2026-11-23T12:00:01Z.json", "2026-11-23T12:00:02Z.json", "2026-11-23T12:00:03Z.json"]
    assert (history / "latest.json").readlink() == Path("2026-11-23T12:00:03Z.json")
    assert {hashlib.sha256((history / name).read_bytes()).hexdigest() for name in kept(history)} == {
        parse_report(audit_bytes(mark)).digest for mark in (1, 2, 3)
    }


async def test_the_history_is_bounded(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """By count; the oldest go first."""
    path, history = tmp_path / "r.json", tmp_path / "history"
    async with running_watcher(memory_broker, path, history_dir=history, history_max_reports=2):
        await publish(memory_broker, path, 1, 2, 3, 4)
        await await_until(
            "the newest two are kept",
            lambda: kept(history) == ["2026-11-23T12:00:03Z.json", "2026-11-23T12:00:04Z.json"],
        )


async def test_an_empty_broker_gets_the_history_back(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """A standalone server that was restarted lists what it listed before; the newest comes to clients alone."""
    path, history = tmp_path / "r.json", tmp_path / "history"
    async with running_watcher(memory_broker, path, history_dir=history):
        await publish(memory_broker, path, 1, 2, 3)
        await wait_kept(history, 3)
    before = await memory_broker.history(CHANNEL)
    empty = MemoryBroker(lambda: 0)

    async with empty.subscribe(CHANNEL) as messages, running_watcher(empty, path, history_dir=history):
        await wait_served(empty, audit_bytes(3))
        first = await anext(messages)

    assert await empty.history(CHANNEL) == before
    assert isinstance(first, Snapshot)
    assert first.body == body(3)
    past = await empty.past_report(CHANNEL, before[-1])
    assert past
    assert past.body == body(1)


@pytest.mark.parametrize("bad", [None, b"{"], ids=["missing", "torn"])
async def test_the_kept_report_stands_in_for_a_file_that_is_not_there(
    memory_broker: MemoryBroker, tmp_path: Path, bad: bytes | None
) -> None:
    """After a restart of everything the last good report is served, and why it is not the file's is told."""
    path, history = tmp_path / "r.json", tmp_path / "history"
    async with running_watcher(memory_broker, path, history_dir=history):
        await publish(memory_broker, path, 1, 2)
        await wait_kept(history, 2)
    path.unlink() if bad is None else path.write_bytes(bad)
    empty = MemoryBroker(lambda: 0)

    async with running_watcher(empty, path, history_dir=history):
        await wait_served(empty, audit_bytes(2))
        await wait_source(empty, SourceState.WAITING if bad is None else SourceState.REJECTED)
        replace(path, audit_bytes(3))
        await wait_served(empty, audit_bytes(3))

    assert len(await empty.history(CHANNEL)) == 3


async def test_what_was_changed_by_hand_is_not_put_back(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """An invalid report is never published, wherever it comes from."""
    history = tmp_path / "history"
    history.mkdir()
    (history / "2026-11-23T12:00:01Z.json").write_bytes(body(1))
    (history / "2026-11-23T12:00:02Z.json").write_bytes(b'{"timestamp":1}')
    hour_ago = time.time() - 3600  # noqa: TID251 - a file's time
    os.utime(history / "2026-11-23T12:00:01Z.json", (hour_ago, hour_ago))

    async with running_watcher(memory_broker, tmp_path / "r.json", history_dir=history):
        await wait_served(memory_broker, audit_bytes(1))

    assert len(await memory_broker.history(CHANNEL)) == 1


async def test_disk_trouble_delays_nothing(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """A file stands where the folder should be: reports are published, and kept once the trouble is over."""
    path, history = tmp_path / "r.json", tmp_path / "history"
    history.write_text("in the way")
    async with running_watcher(memory_broker, path, history_dir=history) as watching:
        await publish(memory_broker, path, 1, 2)
        await wait_counted(watching, ERRORS, 2)
        history.unlink()
        await publish(memory_broker, path, 3)
        await wait_kept(history, 1)


async def test_a_restored_backup_is_flagged(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """Its time is before that of the last report, which the watcher knows from before its own restart."""
    path = tmp_path / "r.json"
    for mark in (5, 3):
        replace(path, audit_bytes(mark))
        async with running_watcher(memory_broker, path):
            await wait_served(memory_broker, audit_bytes(mark))

    snapshot = (await memory_broker.state(CHANNEL)).snapshot
    assert snapshot
    assert [finding.kind for finding in snapshot.findings] == ["time_backwards"]
