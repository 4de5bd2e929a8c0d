"""An archive whose watcher leads, does not, and leads again, in a directory that others write, too."""

import asyncio
from pathlib import Path

from reportcast.broker.base import HistoryLimits

from tests.support.archive import DirectArchive, body, hung_disk, is_latest, kept, name, writes, written
from tests.support.reports import publication
from tests.support.wait import await_until


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
