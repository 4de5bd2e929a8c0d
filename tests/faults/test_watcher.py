"""The watcher dies, stands still, or finds its disk full."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from tests.faults.case import Case, Size, running
from tests.faults.process import KEYS
from tests.faults.system import Plan
from tests.faults.table import Row
from tests.support.disks import small_disk
from tests.support.wait import await_until

ERRORS = 'reportcast_watcher_history_errors_total{channel="audit"} '


async def test_watcher_killed(size: Size, row: Row) -> None:
    """Watcher killed, restarted at once: a watcher leads again."""
    async with running(size, row, Plan()) as case:
        case.system.watcher.kill()
        case.system.watcher.start()
        await case.recovered("a watcher leads", case.system.leads)


async def test_leader_killed(size: Size, row: Row) -> None:
    """Watcher killed, another standing by: that one leads."""
    async with running(size, row, Plan(watchers=2)) as case:
        leader = await case.system.leader()
        leader.kill()
        await case.recovered("the other leads", case.system.leads)


async def test_watcher_frozen(size: Size, row: Row) -> None:
    """Watcher frozen, its lease lost: a watcher leads again."""
    async with running(size, row, Plan()) as case:

        async def is_without_leader() -> bool:
            return not await case.system.redis.command("EXISTS", KEYS.lease)

        assert not await is_without_leader()
        case.system.watcher.freeze()
        await asyncio.sleep(size.outage_s)
        await await_until("its lease is lost", is_without_leader)
        case.system.watcher.thaw()
        await case.recovered("a watcher leads", case.system.leads)


@pytest.mark.mounts
async def test_history_disk_full(size: Size, row: Row, tmp_path: Path) -> None:
    """Disk of HISTORY_DIR full: there is room again, and the history has what is served."""
    with small_disk(tmp_path / "disk", "1m") as disk:
        plan = Plan(watcher={"HISTORY_DIR": str(disk / "history")})
        async with running(size, row, plan, is_steady=True) as case:
            assert not await failed(case)
            ballast = fill(disk)
            await await_until("the history cannot be written", lambda: failed(case))
            await asyncio.sleep(10 * size.pace_s)
            latest = disk / "history" / "latest.json"
            before = latest.read_bytes()
            ballast.unlink()

            async def is_kept() -> bool:
                return latest.read_bytes() != before

            await case.recovered("the history is written", is_kept)


def fill(disk: Path) -> Path:
    """Leave no room on a disk; give what has to go for some."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast


async def failed(case: Case) -> bool:
    """Tell whether the watcher could not keep a report."""
    lines = (await case.system.watcher.get("/metrics")).splitlines()
    return any(line.startswith(ERRORS) and float(line.removeprefix(ERRORS)) > 0 for line in lines)
