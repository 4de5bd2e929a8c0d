"""An archive on a disk that hangs, is slow, or has something else in the archive's place."""

import asyncio
from pathlib import Path

import pytest
from reportcast.broker.base import HistoryLimits
from reportcast.contracts.messages import Rejection
from structlog.testing import capture_logs
from watcher import archive as archive_module
from watcher.archive import MAX_WAITING

from tests.support.archive import DirectArchive, body, hung_disk, is_latest, kept, name, writes, written
from tests.support.reports import MOMENT, publication
from tests.support.wait import await_until


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
