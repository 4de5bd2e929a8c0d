"""Real files under a real inotify: who is given a hint, of what, and what it says."""

import os
import sys
from pathlib import Path

import pytest
from watcher.inotify import Hint

from tests.support.wait import await_until
from tests.support.watching import armed, follow, watching

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


async def test_a_pattern(tmp_path: Path) -> None:
    """Each matching file is told of, and so is its end."""
    async with watching() as watch:
        lookout = await armed(watch, tmp_path / "new" / "dns-*.json")
        (tmp_path / "new").mkdir()
        (tmp_path / "new" / "dns-1.json").write_text("1")
        await lookout.sees("1")
        (tmp_path / "new" / "dns-2.json").write_text("2")
        await lookout.sees("1", "2")
        (tmp_path / "new" / "dns-1.json").unlink()

        await lookout.sees("2")


async def test_two_reports_in_one_directory(tmp_path: Path) -> None:
    """Each is told of its own, and of nothing else."""
    async with watching() as watch:
        first = await armed(watch, tmp_path / "a-*.json")
        second = await armed(watch, tmp_path / "b.json")
        hints = first.hints
        (tmp_path / "b.json").write_text("b")
        await second.sees("b")
        assert first.hints == hints
        hints = second.hints
        (tmp_path / "a-1.json").write_text("a")
        (tmp_path / "neither").write_text("n")
        await first.sees("a")

        assert second.hints == hints


async def test_a_neighbour_whose_name_is_no_text(tmp_path: Path) -> None:
    """It is passed over; a pattern that matches it is told."""
    async with watching() as watch:
        exact, every = await armed(watch, tmp_path / "r.json"), await armed(watch, tmp_path / "*")
        (tmp_path / os.fsdecode(b"\xff\xfe")).write_text("x")
        await every.sees("x")
        (tmp_path / "r.json").write_text("1")

        await exact.sees("1")


def queue_limit() -> int:
    """Give how many events the kernel keeps."""
    return int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())


async def test_an_overflow_is_a_hint(tmp_path: Path) -> None:
    """For everyone, since nobody knows whom the lost events concerned; afterwards events are heard again."""
    (tmp_path / "busy").mkdir()
    busy = tmp_path / "busy" / "r.json"
    names = [busy, busy.with_name("other")]
    names[0].write_text("1")
    async with watching() as watch:
        await armed(watch, busy)
        lookout = await armed(watch, tmp_path / "r.json")
        hints = lookout.hints
        for turn in range(queue_limit()):  # two events each, and the loop does not run meanwhile
            names[turn % 2].rename(names[1 - turn % 2])

        await await_until("there was a hint", lambda: lookout.hints > hints)
        (tmp_path / "r.json").write_text("1")
        await lookout.sees("1")


async def test_a_hint_tells_whether_the_writer_has_closed_the_file(tmp_path: Path) -> None:
    """While it is open, what is there may be old and new in one."""
    path = tmp_path / "r.json"
    path.write_text("one")
    async with watching() as watch:
        lookout, followed = follow(watch, path)
        await followed.rearm()
        with path.open("r+b", buffering=0) as file:
            file.write(b"two")
            await lookout.sees("two")
            during = lookout.last
        await await_until("it is closed", lambda: lookout.last is Hint.CLOSED)
        with path.open("ab"):
            pass
        (tmp_path / "other").write_text("three")
        (tmp_path / "other").replace(path)
        await lookout.sees("three")
        assert (during, lookout.last) == (Hint.WRITING, Hint.PLACED)
