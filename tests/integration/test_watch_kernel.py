"""What the kernel watches for a process: no more than somebody follows, and nothing at the end."""

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import pytest

from tests.support.wait import await_until
from tests.support.watching import armed, follow, swap_config_map, watching

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")


def inotify_fds() -> list[str]:
    """Give this process' inotify instances, by their numbers."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if "inotify" in os.readlink(f"/proc/self/fd/{name}"):
                found.append(name)
    return found


def kernel_watches() -> int:
    """Count what the kernel watches for this process."""
    return sum(Path(f"/proc/self/fdinfo/{fd}").read_text().count("inotify wd:") for fd in inotify_fds())


async def test_one_that_leaves_does_not_deafen_another(tmp_path: Path) -> None:
    """Nor gets hints itself any more; the last one to leave takes the watches along."""
    async with watching() as watch:
        leaving, followed = follow(watch, tmp_path / "r.json")
        await followed.rearm()
        before = kernel_watches()
        staying, other = follow(watch, tmp_path / "r.json")
        await other.rearm()
        assert kernel_watches() == before
        followed.close()
        await followed.rearm()
        hints = leaving.hints
        (tmp_path / "r.json").write_text("1")
        await staying.sees("1")
        other.close()

        assert leaving.hints == hints
        assert kernel_watches() == 0


async def test_one_that_leaves_while_it_is_armed(tmp_path: Path) -> None:
    """What was watched for it in the meantime is not kept."""
    async with watching() as watch:
        _, followed = follow(watch, tmp_path / "r.json")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(followed.rearm())
            await await_until("the kernel watches", kernel_watches)
            followed.close()

        await await_until("nothing is watched", lambda: kernel_watches() == 0)


async def test_watches_do_not_leak(tmp_path: Path) -> None:
    """A thousand swaps leave as many watches as there were before; and the end leaves no instance."""
    swap_config_map(tmp_path, 0)
    (tmp_path / "r.json").symlink_to("..data/r.json")
    async with watching() as watch:
        lookout = await armed(watch, tmp_path / "r.json")
        before = kernel_watches()
        for number in range(1, 1001):
            swap_config_map(tmp_path, number)
            if number % 10 == 0:
                await lookout.sees(str(number))

        await await_until("as many are watched as before", lambda: kernel_watches() == before)
        assert len(inotify_fds()) == 1
    assert inotify_fds() == []
