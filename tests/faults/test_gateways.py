"""Gateways die, come, and are restarted one after the other; the clock jumps."""

import asyncio
import dataclasses
from pathlib import Path

import pytest

from tests.faults.case import Size, running
from tests.faults.system import Plan
from tests.faults.table import Row
from tests.torture.need import lacking

# Where Debian's package libfaketime has it, by architecture.
LIBRARIES = "lib/*/faketime/libfaketime.so.1"
JUMPS = ("+1d", "-10y", "+0")
DOWN_S = 0.5


async def test_gateway_killed(size: Size, row: Row) -> None:
    """Gateway killed, restarted: it is ready again."""
    async with running(size, row, Plan()) as case:
        killed = case.system.gateways[0]
        killed.kill()
        await asyncio.sleep(DOWN_S)
        killed.start()
        await case.recovered("the gateway is ready", killed.is_ready)


async def test_gateway_joins(size: Size, row: Row) -> None:
    """Second gateway started: it is ready."""
    async with running(size, row, Plan(gateways=1)) as case:
        joining = case.system.gateways[1]
        joining.start()
        await case.recovered("it is ready", joining.is_ready)


@pytest.mark.timeout(400)
async def test_rolling_restart(size: Size, row: Row) -> None:
    """Both gateways restarted by SIGTERM, one after the other, again and again: each time, it is ready again."""
    # So that there are changes to the end.
    steady = dataclasses.replace(size, pace_s=size.restarts * 5 / size.changes)
    row.note = f"{size.restarts} times both"
    async with running(steady, row, Plan()) as case:
        for _ in range(size.restarts):
            for gateway in case.system.gateways:
                await gateway.end()
                gateway.start()
                await case.recovered("the gateway is ready", gateway.is_ready)


async def test_clock_jumps(size: Size, row: Row, tmp_path: Path) -> None:
    """Clock of watcher and gateways a day ahead, then ten years back, then right: it jumps."""
    clock = tmp_path / "clock"
    clock.write_text("+0\n")
    faked = told_by(clock)
    row.note = "libfaketime"
    async with running(size, row, Plan(watcher=faked, gateway=faked)) as case:
        for jump in JUMPS:
            clock.write_text(f"{jump}\n")
            await case.recovered("the watcher leads", case.system.leads)
            await asyncio.sleep(5 * size.pace_s)


def told_by(clock: Path) -> dict[str, str]:
    """Give the settings with which a process believes a file for the time of day; what is monotonic stays so."""
    found = sorted(Path("/usr").glob(LIBRARIES))
    if not found:
        lacking(f"there is no /usr/{LIBRARIES}; Debian has it in the package libfaketime")
    return {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }
