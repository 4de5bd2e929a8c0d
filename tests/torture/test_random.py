import asyncio
import itertools
import subprocess
import sys
from pathlib import Path

from reportcast.contracts.report import parse_report

from tests.torture.case import torture
from tests.torture.places import FIRST, Place
from tests.torture.random_writer import content, numbers
from tests.torture.table import Row

ROOT = Path(__file__).parents[2]
COUNTS = {"rename": 4000, "slowly": 1000, "at-once": 3000, "the-same": 2000}
ALL_S = 60.0


async def test_10000_random_writes_by_four_writers(place: Place, row: Row) -> None:
    """10 000 writes by four processes at once: every publication was written so, whole, and the last one is right."""
    written = {parse_report(FIRST).body} | {
        parse_report(content(kind, number)).body
        for kind, count in COUNTS.items()
        for number in set(numbers(kind, count))
    }
    async with torture(place.report, row, report_settle_s=3.0) as case:
        await case.moves("reportcast_watcher_published_total")
        async with asyncio.timeout(ALL_S):
            await asyncio.to_thread(write_all, place.report)
        await case.refresh()
        assert set(case.bodies) <= written
        assert all(before != after for before, after in itertools.pairwise(case.bodies))
        assert case.bodies[-1] == parse_report(place.report.read_bytes()).body
        row.note = f", {len(case.bodies)} published"
        case.expects_what_came()


def write_all(report: Path) -> None:
    """Run all writers at once, to their end."""
    writers = [
        subprocess.Popen([sys.executable, "-m", "tests.torture.random_writer", kind, str(report), str(count)], cwd=ROOT)
        for kind, count in COUNTS.items()
    ]
    assert [writer.wait() for writer in writers] == [0] * len(writers)
