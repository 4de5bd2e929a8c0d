"""What writers do to a report file, and what the watcher makes of it."""

import asyncio
import contextlib
import datetime
import mmap
import os
import statistics

import pytest

from tests.support.reports import audit_bytes
from tests.torture.case import torture
from tests.torture.places import FIRST, Place
from tests.torture.table import Row
from tests.torture.writers import WRITERS, bash, slow_writer, write

PUBLISHED = "reportcast_watcher_published_total"
READS = "reportcast_watcher_reads_total"
REJECTED = "reportcast_watcher_rejected_total"
FLAGGED = "reportcast_watcher_flagged_total"


async def test_w01_a_slow_write_in_sixty_pieces(place: Place, row: Row) -> None:
    """A truncate, then sixty pieces over two seconds: published once, when whole."""
    raw = audit_bytes("slow", padding="x" * 6000)
    async with torture(place.report, row, report_settle_s=3.0) as case:
        await case.moves(PUBLISHED)
        await case.moves("reportcast_watcher_settle_seconds_count")
        with slow_writer(place, raw, pieces=60, lasts_s=2.0) as writer:
            await case.publishes(raw)
            assert await asyncio.to_thread(writer.wait) == 0
        assert await case.metric(REJECTED, reason="syntax") == 0


async def test_w02_the_writer_dies_half_way(place: Place, row: Row) -> None:
    """The last good report stays, since when it is stale is said, and the next whole one is published."""
    raw = audit_bytes("half", padding="x" * 6000)
    async with torture(place.report, row) as case:
        await case.moves(REJECTED, reason="syntax")
        with slow_writer(place, raw, pieces=10, lasts_s=0.1, part=0.5) as writer:
            assert writer.stdout is not None
            await asyncio.to_thread(writer.stdout.readline)
            half_at = datetime.datetime.now(datetime.UTC)
            writer.kill()
        source = await case.refuses("report is not JSON at line")
        since = datetime.datetime.fromisoformat(source.since)
        assert abs((since - half_at).total_seconds()) < 5
        assert await case.metric("reportcast_watcher_invalid") == 1

        await write("mv", place, audit_bytes(1), "1")
        await case.publishes(audit_bytes(1))
        assert await case.metric("reportcast_watcher_invalid") == 0


async def test_w03_a_hundred_renames(place: Place, row: Row) -> None:
    """Each is seen: a watch of a file would be deaf after the first."""
    async with torture(place.report, row) as case:
        await case.moves(PUBLISHED)
        temporary = place.report.with_suffix(".tmp")
        for mark in range(100):
            temporary.write_bytes(audit_bytes(mark))
            temporary.replace(place.report)
            await case.publishes(audit_bytes(mark))


async def test_w04_ln_sf_swaps(place: Place, row: Row) -> None:
    """Each swap of the link is seen by its event, within a tenth of a second."""
    async with torture(place.report, row) as case:
        await case.moves("reportcast_watcher_hints_total")
        for mark in range(20):
            await write("ln -sf", place, audit_bytes(mark), str(mark))
            await case.publishes(audit_bytes(mark))
    assert statistics.median(row.times_ms) < 100


async def test_w05_configmap_swaps(place: Place, row: Row) -> None:
    """Fifty swaps of ``..data``, ten with a gap in which the path leads nowhere, which is retried, not refused."""
    async with torture(place.report, row) as case:
        await case.moves(PUBLISHED)
        for mark in range(50):
            if mark % 5 == 4:
                reads = await case.metric(READS)
                (place.report.parent / "..data").unlink()
                await case.counts(READS, reads + 1)
            await write("ConfigMap", place, audit_bytes(mark), str(mark))
            await case.publishes(audit_bytes(mark))
        assert await case.metric(REJECTED, reason="missing") == 0


async def test_w09_the_same_content_again(place: Place, row: Row) -> None:
    """A rewrite, a rename of the same bytes, other white space and a new time publish nothing; all are counted."""
    unchanged = "reportcast_watcher_unchanged_total"
    async with torture(place.report, row) as case:
        await case.moves(unchanged)
        for number, script in enumerate(
            ('cat "$REPORT" >"$WORK/same" && cat "$WORK/same" >"$REPORT"', 'mv "$WORK/same" "$REPORT"')
        ):
            await bash(script, REPORT=place.report, WORK=place.work)
            await case.counts(unchanged, number + 1)
        for script in ('touch "$REPORT"', 'touch -d "+1 hour" "$REPORT"', 'echo >>"$REPORT"'):
            counted = await case.metric(unchanged)
            await bash(script, REPORT=place.report)
            await case.counts(unchanged, counted + 1)


async def test_w10_the_same_time_and_size(place: Place, row: Row) -> None:
    """Content that changes by mmap through a link elsewhere, with its old time put back: found by the sweep."""
    other = place.work / "elsewhere.json"
    # An overlay copies the file up for the link.
    other.hardlink_to(place.report)
    async with torture(place.report, row, report_sweep_s=0.3) as case:
        await case.moves("reportcast_watcher_sweep_finds_total")
        for new in (b"fIrst", b"fiRst"):
            times, raw = other.stat(), FIRST.replace(b"first", new)
            descriptor = os.open(other, os.O_RDWR)
            with contextlib.closing(mmap.mmap(descriptor, 0)) as mapped:
                mapped[:] = raw
                mapped.flush()
            os.close(descriptor)
            os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
            assert (place.report.stat().st_mtime_ns, place.report.stat().st_size) == (times.st_mtime_ns, len(raw))
            await case.publishes(raw)


async def test_w11_a_restored_backup(place: Place, row: Row) -> None:
    """With an older time than before: published, and flagged that the time went backwards."""
    async with torture(place.report, row) as case:
        await case.moves(FLAGGED, finding="time_backwards")
        await write("cp", place, audit_bytes(0), "0")
        await bash('cp --archive "$REPORT" "$WORK/backup" && touch -d "-1 day" "$WORK/backup"', **paths(place))
        await case.publishes(audit_bytes(0))
        await write("cp", place, audit_bytes(60), "1")
        await case.publishes(audit_bytes(60))
        await bash('cp --archive "$WORK/backup" "$REPORT"', **paths(place))
        snapshot = await case.publishes(audit_bytes(0))
        assert [finding.kind for finding in snapshot.findings] == ["time_backwards"]
        assert "report time went backwards" in snapshot.findings[0].message


@pytest.mark.parametrize("writer", WRITERS)
async def test_w19_writers(place: Place, row: Row, writer: str) -> None:
    """Every writer's change is seen, by events alone."""
    async with torture(place.report, row, report_settle_s=3.0) as case:
        await case.moves(PUBLISHED)
        for mark in range(3):
            raw = audit_bytes(f"{writer} {mark}") + b"\n"
            await write(writer, place, raw, str(mark))
            await case.publishes(raw)


TIMES = {"ten years ahead": "+10 years", "1970": "1970-01-01 UTC", "1901": "1901-12-14 UTC", "yesterday": "-1 day"}


@pytest.mark.parametrize("time", TIMES)
async def test_w20_file_times(place: Place, row: Row, time: str) -> None:
    """File times ahead of the clock or long gone: no change is missed and none triggers for ever."""
    async with torture(place.report, row) as case:
        await case.moves(PUBLISHED)
        reads = await case.metric(READS)
        for mark in range(5):
            (place.work / "new").write_bytes(audit_bytes(mark))
            script = 'touch -d "$TIME" "$WORK/new" && mv "$WORK/new" "$REPORT"'
            await bash(script, TIME=TIMES[time], **paths(place))
            await case.publishes(audit_bytes(mark))
        assert await case.metric(READS) - reads < 40


def paths(place: Place) -> dict[str, object]:
    """Give a script the paths of a place."""
    return {"REPORT": place.report, "WORK": place.work}


async def test_w20_clock_jumps(place: Place, row: Row) -> None:
    """The clock jumps a day on and decades back: no change is missed, and the reports of the future are flagged."""
    jump = {"s": 0.0}

    def now() -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=jump["s"])

    async with torture(place.report, row, now=now) as case:
        await case.moves(FLAGGED, finding="time_future")
        reads = await case.metric(READS)
        for mark, seconds in enumerate((86400.0, -86400.0 * 365 * 40, 0.0, 86400.0 * 365 * 70)):
            jump["s"] = seconds
            await write("mv", place, audit_bytes(mark), str(mark))
            snapshot = await case.publishes(audit_bytes(mark))
            assert ("time_future" in {finding.kind for finding in snapshot.findings}) is (seconds < -86400)
        assert await case.metric(READS) - reads < 40
