"""What a watcher keeps on disk: the history, rejected contents, and what becomes of both at a restart."""

import asyncio
import contextlib
import datetime
import functools
import hashlib
import itertools
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest
from reportcast.broker.base import Broker, HistoryLimits
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.messages import Rejection, Snapshot, SourceState
from reportcast.contracts.report import ReportKind, parse_report
from reportcast.telemetry.metrics import new_registry
from structlog.testing import capture_logs
from watcher import archive as archive_module
from watcher.archive import MAX_WAITING, Archive
from watcher.metrics import ChannelMetrics, WatcherMetrics
from watcher.settings import SourceSettings

from tests.integration.test_watcher import replace, served, wait_counted, wait_served, wait_source
from tests.support.reports import MOMENT, audit, audit_bytes, publication
from tests.support.running import CHANNEL, running_watcher
from tests.support.wait import await_until

ERRORS = "reportcast_watcher_history_errors_total"


def kept(directory: Path) -> list[str]:
    """Give the names of the kept reports."""
    return sorted(path.name for path in directory.glob("*.json") if path.name != "latest.json")


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


def is_latest(directory: Path, content: bytes) -> bool:
    """Tell whether the latest report is this."""
    latest = directory / "latest.json"
    return latest.exists() and latest.read_bytes() == content


def body(mark: int) -> bytes:
    """Give what clients get of a report."""
    return parse_report(audit_bytes(mark)).body


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


async def rejections(broker: Broker, count: int) -> list[Rejection]:
    """Wait until so many contents are kept; give them, newest first."""

    async def are_kept() -> bool:
        return len(await broker.rejections(CHANNEL)) == count

    await await_until(f"{count} are kept", are_kept)
    return await broker.rejections(CHANNEL)


async def test_a_rejected_content_is_kept(broker: Broker, tmp_path: Path) -> None:
    """Its bytes with reason, line, column and a diff against the last good one: in the broker, and on disk."""
    path, history = tmp_path / "r.json", tmp_path / "history"
    path.write_bytes(audit_bytes(1))
    bad = json.dumps(audit(1, repos=[{"name": "repo-1", "status": 7}]), indent=2).encode()
    async with running_watcher(broker, path, history_dir=history):
        await wait_served(broker, audit_bytes(1))
        replace(path, bad)
        (rejection,) = await rejections(broker, 1)
        await await_until("it is on disk", lambda: list((history / "rejected").glob("*.json")))

    assert (rejection.reason, rejection.file, rejection.size) == ("shape", "r.json", len(bad))
    assert rejection.message.startswith("report.repos[0]: expected a string status or uncommittedChanges, at line 12")
    assert (rejection.line, rejection.column) == (12, 5)
    assert rejection.digest == hashlib.sha256(bad).hexdigest()
    assert '- "status":"clean",' in rejection.diff
    assert '+ "status":7' in rejection.diff
    assert await broker.rejected_content(CHANNEL, rejection.id) == bad
    (record,), (content,) = (list((history / "rejected").glob(f"*.{kind}")) for kind in ("json", "bin"))
    assert json.loads(record.read_text())["message"] == rejection.message
    assert content.read_bytes() == bad
    assert await served(broker) == body(1)


async def test_a_held_report_is_kept_as_a_rejected_one(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """Under the finding's name; the same report with another policy is published with its findings."""
    path = tmp_path / "r.json"
    path.write_bytes(audit_bytes(1))
    odd = audit_bytes(2, summary={"total": 5})
    async with running_watcher(memory_broker, path, report_hold=("summary_mismatch",)) as watching:
        await wait_served(memory_broker, audit_bytes(1))
        replace(path, odd)
        (rejection,) = await rejections(memory_broker, 1)
        assert rejection.reason == "summary_mismatch"
        assert "the summary does not match" in (await wait_source(memory_broker, SourceState.REJECTED) or "")
        assert watching.metric("reportcast_watcher_rejected_total", reason="summary_mismatch") == 1
    async with running_watcher(memory_broker, path) as watching:
        await wait_served(memory_broker, odd)
        snapshot = (await memory_broker.state(CHANNEL)).snapshot
        assert snapshot
        assert [finding.kind for finding in snapshot.findings] == ["summary_mismatch"]
        assert watching.metric("reportcast_watcher_flagged_total", finding="summary_mismatch") == 1


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


class DirectArchive(Archive):
    """An archive without its watcher; what it counts can be read."""

    def __init__(self, directory: Path) -> None:
        self.registry = new_registry()
        metrics = ChannelMetrics(WatcherMetrics(self.registry), CHANNEL)
        super().__init__(directory, ReportKind.AUDIT, SourceSettings.model_validate({}), metrics, ticking())

    def keep_marks(self, *marks: int) -> None:
        """Keep reports one after the other."""
        for mark in marks:
            self.keep(name(mark), publication(mark))

    @property
    def errors(self) -> float:
        """What was not kept."""
        return self.registry.get_sample_value(ERRORS, {"channel": CHANNEL}) or 0.0


def ticking() -> Callable[[], datetime.datetime]:
    """Give a clock that goes on by a second whenever it is read."""
    seconds = itertools.count()
    return lambda: MOMENT + datetime.timedelta(seconds=next(seconds))


def name(mark: int) -> str:
    """Give the name of a report in the history."""
    return f"2026-11-23T12:00:{mark:02}Z.json"


@contextlib.contextmanager
def hung_disk() -> Iterator[threading.Event]:
    """Let every sync wait until the event is set, as it is at the end."""
    sync, answers = os.fsync, threading.Event()

    def wait(descriptor: int) -> None:
        answers.wait()
        sync(descriptor)

    with mock.patch.object(os, "fsync", wait):
        try:
            yield answers
        finally:
            answers.set()


def writes(directory: Path) -> list[Path]:
    """Give the files that are being written."""
    return list(directory.glob(".reportcast-*.tmp"))


async def test_what_waits_at_the_end_is_written_in_order(tmp_path: Path) -> None:
    """After the write that is under way, in its turn, and beside the event loop: the newest is the latest."""
    archive = DirectArchive(tmp_path)
    with hung_disk() as answers:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(archive.run())
            archive.keep_marks(1, 2, 3)
            await await_until("the first is being written", lambda: writes(tmp_path))
            running.cancel()
            asyncio.get_running_loop().call_later(0.1, answers.set)  # a loop that hangs would never do it

    assert kept(tmp_path) == [name(1), name(2), name(3)]
    assert (tmp_path / "latest.json").readlink() == Path(name(3))
    assert archive.errors == 0


async def test_a_hung_disk_does_not_hold_up_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not written in time is given up, with one word and counted; nothing of it is written later."""
    monkeypatch.setattr(archive_module, "LAST_WRITES_S", 0.2)
    archive = DirectArchive(tmp_path)
    with hung_disk() as answers, capture_logs() as logs:
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            running = tasks.create_task(archive.run())
            archive.keep_marks(1, 2, 3)
            await await_until("the first is being written", lambda: writes(tmp_path))
            running.cancel()
        assert kept(tmp_path) == []
        assert archive.errors == 3
        assert [log["reason"] for log in logs] == ["the disk did not answer within 0.2 s of the end: 3 writes given up"]
        answers.set()
        await await_until("the disk has answered", lambda: is_latest(tmp_path, body(1)))

    assert await archive.recent(HistoryLimits()) == [publication(1)]


async def test_nothing_to_write_ends_at_once(tmp_path: Path) -> None:
    """And makes no directory."""
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(DirectArchive(tmp_path / "history").run())
        await asyncio.sleep(0)
        running.cancel()

    assert not (tmp_path / "history").exists()


async def test_what_waits_for_a_slow_disk_is_bounded(tmp_path: Path) -> None:
    """With the report under way at most MAX_WAITING are held; the oldest are given up, and counted."""
    archive = DirectArchive(tmp_path)
    async with asyncio.TaskGroup() as tasks:
        with hung_disk():
            running = tasks.create_task(archive.run())
            archive.keep_marks(0)
            await await_until("it is being written", lambda: writes(tmp_path))
            archive.keep_marks(*range(1, 41))
        await await_until("the newest is kept", lambda: is_latest(tmp_path, body(40)))
        running.cancel()

    assert kept(tmp_path) == [name(mark) for mark in (0, *range(42 - MAX_WAITING, 41))]
    assert archive.errors == 41 - MAX_WAITING


async def test_a_tenure_finds_what_another_watcher_kept(tmp_path: Path) -> None:
    """The shared directory is opened again: the newest is the other's, what it left half-written is gone."""
    mine, other = DirectArchive(tmp_path), DirectArchive(tmp_path)
    for archive, mark in ((mine, 1), (other, 2)):
        archive.begin()
        archive.keep_marks(mark)
        await written(archive)
    (tmp_path / f".reportcast-{'0' * 16}.tmp").write_bytes(b"{")
    (tmp_path / "latest.json").unlink()

    mine.begin()
    mine.begin()

    assert [each.stem for each in await mine.recent(HistoryLimits())] == [publication(mark).stem for mark in (1, 2)]
    assert is_latest(tmp_path, body(2))
    assert writes(tmp_path) == []
    assert mine.errors == 0


async def written(archive: Archive) -> None:
    """See all written that waits, as at the end of a watcher."""
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(archive.run())
        await asyncio.sleep(0)
        running.cancel()


async def test_what_waits_at_the_end_of_a_tenure_is_dropped(tmp_path: Path) -> None:
    """It would make an old report the latest, before the eyes of the watcher that leads by then."""
    archive = DirectArchive(tmp_path)
    archive.begin()
    archive.keep_marks(1, 2)

    archive.end()
    archive.end()
    await written(archive)
    assert kept(tmp_path) == []

    archive.begin()
    archive.keep_marks(3)
    await written(archive)
    assert kept(tmp_path) == [name(3)]
    assert archive.errors == 0


async def test_a_tenure_that_begins_during_a_write_opens_again(tmp_path: Path) -> None:
    """What the write before it opened, and made the newest, does not count for it."""
    archive = DirectArchive(tmp_path)
    with hung_disk() as answers:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(archive.run())
            archive.keep_marks(1)
            await await_until("it is being written", lambda: writes(tmp_path))
            archive.end()
            archive.begin()
            answers.set()
            await await_until("it is kept", lambda: is_latest(tmp_path, body(1)))
            running.cancel()
    (tmp_path / "latest.json").unlink()

    await archive.recent(HistoryLimits())

    assert is_latest(tmp_path, body(1))


async def test_a_report_without_a_name_is_kept(tmp_path: Path) -> None:
    """As one is that an older version published: under its own time."""
    archive = DirectArchive(tmp_path)
    archive.keep("", publication(1))
    await written(archive)

    assert kept(tmp_path) == [name(1)]
    assert archive.errors == 0


async def test_a_directory_in_the_place_of_latest(tmp_path: Path) -> None:
    """After a start, too, reports and rejected contents are kept, and read; that it is not the latest is counted."""
    archive = DirectArchive(tmp_path)
    archive.keep_marks(1)
    await written(archive)
    (tmp_path / "latest.json").unlink()
    (tmp_path / "latest.json").mkdir()

    again = DirectArchive(tmp_path)
    again.keep_marks(2)
    again.reject(Rejection(MOMENT, "r.json", "syntax", "", None, None, 1, "0" * 64, ""), b"{")
    await written(again)

    assert kept(tmp_path) == [name(1), name(2)]
    assert [content.read_bytes() for content in (tmp_path / "rejected").glob("*.bin")] == [b"{"]
    assert len(await again.recent(HistoryLimits())) == 2
    assert again.errors == 3


async def test_rejected_contents_are_read_back(tmp_path: Path) -> None:
    """By the next watcher, oldest first, for a broker that has lost them; none when there are none."""
    archive, again = DirectArchive(tmp_path), DirectArchive(tmp_path)
    assert await archive.rejections() == []
    rejections = [Rejection(MOMENT, "r.json", "syntax", f"no {n}", 1, 2, 9, "0" * 64, "- ä") for n in range(2)]
    for rejection in rejections:
        archive.reject(rejection, b"\xff" + rejection.message.encode())
    await written(archive)

    assert await again.rejections() == [(rejections[0], b"\xffno 0"), (rejections[1], b"\xffno 1")]


async def test_what_cannot_be_read_is_an_empty_list(tmp_path: Path) -> None:
    """A file stands where the folder should be: it is counted, and never raised."""
    (tmp_path / "history").write_text("in the way")
    archive = DirectArchive(tmp_path / "history")

    assert await archive.recent(HistoryLimits()) == []
    assert await archive.rejections() == []
    assert archive.errors == 2


async def test_a_hung_disk_does_not_hold_up_a_publication(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept is not waited for longer than READ_S; once the disk answers it is read."""
    archive = DirectArchive(tmp_path)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(archive.run())
        with hung_disk(), monkeypatch.context() as patch:
            patch.setattr(archive_module, "READ_S", 0.2)
            archive.keep_marks(1)
            await await_until("it is being written", lambda: writes(tmp_path))
            async with asyncio.timeout(5):
                assert await archive.recent(HistoryLimits()) == []
                assert await archive.rejections() == []
            assert archive.errors == 2
        await await_until("it is kept", lambda: is_latest(tmp_path, body(1)))
        running.cancel()

    assert await archive.recent(HistoryLimits()) == [publication(1)]


async def test_an_empty_broker_gets_the_rejected_contents_back(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """What was refused before a restart is listed after it, each once, also while the file is still bad."""
    path, history = tmp_path / "r.json", tmp_path / "history"
    path.write_bytes(audit_bytes(1))
    async with running_watcher(memory_broker, path, history_dir=history):
        await wait_served(memory_broker, audit_bytes(1))
        for bad in (b"[]", b"{}"):
            replace(path, bad)
            await await_until("it is on disk", functools.partial(is_refused, history, bad))
    empty = MemoryBroker(lambda: 0)

    async with running_watcher(empty, path, history_dir=history):
        listed = await rejections(empty, 2)

    assert [await empty.rejected_content(CHANNEL, each.id) for each in listed] == [b"{}", b"[]"]


def is_refused(directory: Path, content: bytes) -> bool:
    """Tell whether a rejected content is on disk, with its record."""
    found = [file for file in (directory / "rejected").glob("*.bin") if file.read_bytes() == content]
    return bool(found) and found[0].with_suffix(".json").exists()
