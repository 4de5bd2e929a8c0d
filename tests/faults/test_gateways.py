"""Gateways die, come, and are restarted one after the other; the clock jumps."""

import asyncio
import dataclasses
import functools
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from reportcast.contracts.clock import utc_now

from tests.faults.case import Case, Size, running
from tests.faults.fleet import Fleet
from tests.faults.system import GATEWAYS, Plan
from tests.faults.table import Row
from tests.support.wait import await_until
from tests.torture.need import lacking

# Where Debian's package libfaketime has it, by architecture.
LIBRARIES = "lib/*/faketime/libfaketime.so.1"
JUMPS = {"+1d": timedelta(days=1), "-10y": timedelta(days=-3650), "+0": timedelta()}
ROUGHLY = timedelta(minutes=1)
DOWN_S = 0.5
# Of the changes while gateways are restarted, which takes long in full.
PACE_S = 0.3


async def test_gateway_killed(size: Size, row: Row) -> None:
    """Gateway killed, restarted: it is ready again."""
    async with running(size, row, Plan()) as case:
        killed = case.system.gateways[0]
        killed.kill()
        await asyncio.sleep(DOWN_S)
        killed.start()
        await case.recovered("the gateway is ready", killed.is_ready)
    assert moved(row) >= size.clients // GATEWAYS


async def test_gateway_joins(size: Size, row: Row) -> None:
    """Second gateway started: it is ready."""
    async with running(size, row, Plan(gateways=1)) as case:
        joining = case.system.gateways[1]
        joining.start()
        await case.recovered("it is ready", joining.is_ready)
        newest, late = case.reports.change, Fleet([joining.address], 2)
        async with late.following():
            await await_until("it serves", lambda: not late.behind(newest))


@pytest.mark.timeout(400)
async def test_rolling_restart(size: Size, row: Row) -> None:
    """Both gateways restarted by SIGTERM, one after the other, again and again: each time, it is ready again."""
    row.note = f"{size.restarts} times both"
    # Changes are made until the last restart is over: none goes without.
    async with running(dataclasses.replace(size, pace_s=PACE_S), row, Plan(), is_steady=True) as case:
        for _ in range(size.restarts):
            for gateway in case.system.gateways:
                before = case.reports.change
                await gateway.end()
                gateway.start()
                await case.recovered("the gateway is ready", gateway.is_ready)
                assert case.reports.change > before
    assert moved(row) >= size.clients


async def test_clock_jumps(size: Size, row: Row, tmp_path: Path) -> None:
    """Clock of watcher and gateways a day ahead, then ten years back, then right: it jumps."""
    clock = tmp_path / "clock"
    clock.write_text("+0\n")
    faked = told_by(clock)
    row.note = "libfaketime"
    async with running(size, row, Plan(watcher=faked, gateway=faked), is_steady=True) as case:
        for jump, by in JUMPS.items():
            clock.write_text(f"{jump}\n")
            await case.recovered("the watcher leads", case.system.leads)
            await await_until(f"every clock is off by {by}", functools.partial(are_off, case, by))


async def are_off(case: Case, by: timedelta) -> bool:
    """Tell whether the clocks of all gateways, and the watcher's at the newest report, are off by so much."""
    answers = [json.loads(await gateway.get("/api/ws/status")) for gateway in case.system.gateways]
    told = [time for answer in answers for time in (answer["timestamp"], answer["report"]["publishedAt"])]
    return all(abs(datetime.fromisoformat(time) - utc_now() - by) < ROUGHLY for time in told)


def moved(row: Row) -> int:
    """Tell how often a client came back to follow on."""
    return row.verdict.recovered + row.verdict.refused


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
