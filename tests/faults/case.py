"""One case: the system, its clients, its changes, and what it has to end with."""

import asyncio
import contextlib
import dataclasses
import random
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from reportcast.contracts.report import parse_report

from tests.faults.fleet import Fleet
from tests.faults.reports import Reports
from tests.faults.system import GATEWAYS, Plan, System
from tests.faults.table import Row
from tests.support.wait import await_until

HEAL_S = 2.0
NOTICE_S = 5.0
# So much is made before the fault, and so much is kept for the time after recovery.
BEFORE, AFTER = 0.2, 0.2


@dataclasses.dataclass(frozen=True)
class Size:
    """
    How large a case is.

    Attributes:
        clients: Connected all the time.
        changes: Of the report.
        pace_s: Between two of them.
        outage_s: How long a fault lasts that may last as long as it likes; longer if it is not noticed by then.
        restarts: How often gateways are restarted.
    """

    clients: int
    changes: int
    pace_s: float
    outage_s: float
    restarts: int


FULL = Size(clients=200, changes=100, pace_s=0.12, outage_s=10.0, restarts=20)
SHORT = Size(clients=24, changes=20, pace_s=0.1, outage_s=1.0, restarts=1)


class Case:
    """
    One case under way.

    Attributes:
        size: How large it is.
        row: To note in what it finds.
        system: What runs.
        fleet: Its clients.
        reports: What is written.
    """

    def __init__(self, size: Size, row: Row, system: System, reports: Reports, is_steady: bool) -> None:
        self.size = size
        self.row = row
        self.system = system
        self.reports = reports
        self.fleet = Fleet([gateway.address for gateway in system.gateways], size.clients)
        self._is_steady = is_steady
        self._is_over = asyncio.Event()

    async def amid(self) -> None:
        """Wait until a good part of the changes was made: now the fault may come."""
        enough = self.size.changes * BEFORE
        timeout_s = 10 + 2 * enough * self.size.pace_s
        await await_until("the changes are under way", lambda: self.reports.change > enough, timeout_s)

    async def noticed(self) -> None:
        """Wait until the gateways that serve have noticed that they do not follow Redis any more."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()

        async def notice() -> bool:
            return await self.system.connected() == [False] * GATEWAYS

        await await_until("the gateways have noticed", notice, timeout_s=20)
        self.row.detected_s = loop.time() - began_s
        assert self.row.detected_s < NOTICE_S

    async def recovered(self, what: str, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait for recovery, then until all clients have what was the newest then."""
        await await_until(what, condition, timeout_s=30)
        newest, loop = self.reports.change, asyncio.get_running_loop()
        began_s = loop.time()
        await await_until(f"all show change {newest}", lambda: not self.fleet.behind(newest), timeout_s=30)
        self.row.healed_s.append(loop.time() - began_s)
        assert self.row.healed_s[-1] < HEAL_S

    async def write(self) -> None:
        """Make the changes, at a steady pace; the last ones once ``end_of_fault`` was called."""
        last = round(self.size.changes * AFTER)
        while self.reports.change < self.size.changes - last or (self._is_steady and not self._is_over.is_set()):
            await self._write_one()
        await self._is_over.wait()
        for _ in range(last):
            await self._write_one()

    def end_of_fault(self) -> None:
        """Let the last changes be made."""
        self._is_over.set()

    async def finish(self) -> None:
        """Wait until every client has the last change, and judge them."""
        newest = self.reports.change
        await await_until(f"all show the last change, {newest}", lambda: not self.fleet.behind(newest))
        self.row.changes = newest
        self.row.verdict = self.fleet.judge(parse_report(self.reports.body).digest)
        assert self.row.verdict.is_clean, str(self.row.verdict)

    async def _write_one(self) -> None:
        await asyncio.sleep(self.size.pace_s)
        self.reports.write()


@contextlib.asynccontextmanager
async def running(
    size: Size, row: Row, plan: Plan, all_of_it: bool = False, is_steady: bool = False
) -> AsyncIterator[Case]:
    """
    Run a case: the changes are under way in the block, which brings the fault and its end.

    Args:
        size: How large it is.
        row: To note in what it finds.
        plan: How the system is wanted.
        all_of_it: Whether every change is of everything.
        is_steady: Whether changes are made for as long as the fault lasts, however many that takes.
    """
    row.clients = size.clients
    with tempfile.TemporaryDirectory(prefix="reportcast-faults-") as folder:
        system = System(Path(folder), plan)
        case = Case(size, row, system, Reports(system.report, random.Random(1), all_of_it), is_steady)
        case.reports.write()
        try:
            await system.run()
            async with case.fleet.following():
                await await_until("all clients follow", lambda: not case.fleet.behind(1), timeout_s=30)
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(case.write())
                    await case.amid()
                    yield case
                    case.end_of_fault()
                await case.finish()
            await system.end()
        finally:
            system.clear()
