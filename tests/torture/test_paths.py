"""What becomes of the path to a report, and what takes the report's place."""

import contextlib
import functools
import os
import shutil
import socket
import stat
from pathlib import Path

import pytest
import structlog.testing

from tests.support.disks import nobody
from tests.support.reports import audit_bytes
from tests.support.wait import await_until
from tests.torture.case import Case, torture
from tests.torture.need import mount, require_root, unmount
from tests.torture.places import Place
from tests.torture.table import Row
from tests.torture.writers import bash

PUBLISHED = "reportcast_watcher_published_total"
READS = "reportcast_watcher_reads_total"
REJECTED = "reportcast_watcher_rejected_total"
MIB = 1024 * 1024


@pytest.mark.mounts
async def test_w06_a_mounted_file(place: Place, row: Row) -> None:
    """A single-file bind mount: warned of at the start, polled, its changes in place found, its replacement ignored."""
    target = place.folder / "mounted" / "r.json"
    target.parent.mkdir()
    target.touch()
    mount("--bind", str(place.report), str(target))
    try:
        with structlog.testing.capture_logs() as logs:
            async with torture(target, row, report_poll_s=0.1) as case:
                await case.moves("reportcast_watcher_hints_total")
                warned = [entry for entry in logs if entry["event"] == "watching"]
                assert [(entry["log_level"], entry["mode"]) for entry in warned] == [("warning", "polling")]
                assert "the file itself is a mount point" in warned[0]["why"]
                assert await case.metric("reportcast_watcher_watch_mode", mode="polling", why=warned[0]["why"]) == 1
                for mark in range(5):
                    place.report.write_bytes(audit_bytes(mark))
                    await case.publishes(audit_bytes(mark))
                place.report.unlink()
                place.report.write_bytes(audit_bytes("never seen"))
    finally:
        unmount(target)


@pytest.mark.parametrize("missing", ["file", "directory", "both directories"])
async def test_w07_missing_at_the_start(place: Place, row: Row, missing: str) -> None:
    """The watcher starts all the same, says that it waits, and publishes what appears."""
    path = {"file": "reports/r.json", "directory": "later/r.json", "both directories": "much/later/r.json"}[missing]
    place.report.unlink()
    with structlog.testing.capture_logs() as logs:
        async with torture(place.folder / path, row, first=None) as case:
            await case.moves(PUBLISHED)
            assert await case.waits() == "r.json does not exist"
            assert "waiting for report" in [entry["event"] for entry in logs]
            assert await case.served() is None
            case.path.parent.mkdir(parents=True, exist_ok=True)
            case.path.write_bytes(audit_bytes(1))
            await case.publishes(audit_bytes(1))


@pytest.mark.parametrize("how", ["removed", "renamed"])
async def test_w08_a_directory_made_anew(place: Place, row: Row, how: str) -> None:
    """Five times: the watch is armed again on the new one, and the old one is let go."""
    async with torture(place.report, row) as case:
        await case.moves(PUBLISHED)
        for mark in range(5):
            if how == "removed":
                shutil.rmtree(place.report.parent)
            else:
                # As mv does: an overlay cannot rename what is in its lower layer.
                shutil.move(place.report.parent, place.folder / f"old-{mark}")
                (place.folder / f"old-{mark}" / "r.json").write_bytes(audit_bytes("never seen"))
            place.report.parent.mkdir()
            place.report.write_bytes(audit_bytes(mark))
            await case.publishes(audit_bytes(mark))


async def test_w15_neighbours_whose_names_are_no_text(place: Place, row: Row) -> None:
    """They come, change and go, and the report's changes are seen."""
    async with torture(place.report, row) as case:
        await case.moves(PUBLISHED)
        for mark, name in enumerate((b"\xff\xfe", b"r.json\xff", b"\xe9t\xe9.json")):
            neighbour = place.report.parent / os.fsdecode(name)
            neighbour.write_bytes(audit_bytes("neighbour"))
            place.report.write_bytes(audit_bytes(mark))
            await case.publishes(audit_bytes(mark))
            neighbour.unlink()


@pytest.mark.parametrize("what", ["file", "directory"])
async def test_w16_permission_denied_then_granted(place: Place, row: Row, what: str) -> None:
    """A watcher without privileges says what it may not, keeps the last good report, and recovers when it may."""
    denied = place.report if what == "file" else place.report.parent
    paths = {"REPORT": place.report, "DENIED": denied, "NEW": place.work / "new"}
    (place.work / "new").write_bytes(audit_bytes(1))
    with nobody():  # bash, though, takes the real user for the effective one
        async with torture(place.report, row) as case:
            await case.moves(REJECTED, reason="unreadable")
            await bash('chmod 0 "$DENIED"', **paths)
            await case.refuses("cannot be read: Permission denied")
            await bash('cat "$NEW" >"$REPORT"; chmod 755 "$DENIED"', **paths)
            await case.publishes(audit_bytes(1), since_ns=denied.stat().st_ctime_ns)


def make_directory(path: Path) -> None:
    path.mkdir()


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


def make_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere.json")


def make_link_to_zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_zero_device(path: Path) -> None:
    require_root("making a device")
    os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))


def make_socket(path: Path) -> None:
    # Of a path, it takes 107 bytes.
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listener, contextlib.chdir(path.parent):
        listener.bind(path.name)


def make_sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


SPECIAL = {
    "directory": (make_directory, "cannot be read: it is a directory; a regular file is expected"),
    "FIFO": (make_fifo, "cannot be read: it is a FIFO; a regular file is expected"),
    "symlink loop": (make_loop, "cannot be read: Too many levels of symbolic links"),
    "dangling link": (make_dangling_link, "r.json does not exist"),
    "link to /dev/zero": (make_link_to_zero, "cannot be read: it is a device; a regular file is expected"),
    "zero device": (make_zero_device, "cannot be read: it is a device; a regular file is expected"),
    "socket": (make_socket, "cannot be read: it is a socket; a regular file is expected"),
    "1 TiB, sparse": (make_sparse, "report is 1099511627776 bytes; the limit is 16777216"),
}


@pytest.mark.parametrize("kind", SPECIAL)
async def test_w17_replaced_by_what_is_no_report(place: Place, row: Row, kind: str) -> None:
    """Reading returns and takes no memory, the last good report stays, and a regular file is published again."""
    make, words = SPECIAL[kind]
    make(place.work / "probe")  # skips where that cannot be made
    async with torture(place.report, row, report_sweep_s=0.1) as case:
        await case.moves("reportcast_watcher_reads_total")
        await case.moves("reportcast_watcher_detected_total")
        before = resident_bytes()
        place.report.unlink()
        make(place.report)
        await case.refuses(words)
        reads = await case.metric(READS)
        await await_until("it was swept three times more", functools.partial(was_read, case, reads + 3))
        assert resident_bytes() - before < 32 * MIB

        place.report.rename(place.work / "away")
        place.report.write_bytes(audit_bytes(1))
        await case.publishes(audit_bytes(1))


async def was_read(case: Case, times: float) -> bool:
    """Tell whether the file was read so often."""
    return await case.metric(READS) >= times


def resident_bytes() -> int:
    """Give the memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
