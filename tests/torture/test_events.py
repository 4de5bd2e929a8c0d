"""What keeps events from coming: deaf file systems, limits, an overflowing queue."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog.testing

from tests.support.reports import audit_bytes
from tests.torture.case import torture
from tests.torture.need import lacking, require, require_root, unmount
from tests.torture.places import FIRST, Place
from tests.torture.processes import running_process, watching_process
from tests.torture.table import Row

HINTS = "reportcast_watcher_hints_total"
WATCH_MODE = "reportcast_watcher_watch_mode"


@contextlib.contextmanager
def bindfs(source: Path, target: Path) -> Iterator[None]:
    """Mount ``source`` at ``target`` by FUSE."""
    require("bindfs")
    require_root("mounting")
    target.mkdir()
    done = subprocess.run(["bindfs", source, target], capture_output=True, text=True, check=False)
    if done.returncode:
        lacking(f"bindfs cannot mount: {done.stderr.strip()}")
    try:
        yield
    finally:
        unmount(target)


@pytest.mark.mounts
async def test_w12_a_fuse_mount(place: Place, row: Row) -> None:
    """A real one is detected and polled; changes made behind it are found (FUSE caches for a second)."""
    target = place.folder / "mounted"
    with bindfs(place.report.parent, target), structlog.testing.capture_logs() as logs:
        async with torture(target / "r.json", row, report_poll_s=0.1) as case:
            await case.moves(HINTS)
            why = "fuse does not tell of changes made elsewhere"
            assert await case.metric(WATCH_MODE, mode="polling", why=why) == 1
            assert ("warning", "polling") in [(entry["log_level"], entry.get("mode")) for entry in logs]
            for mark in range(3):
                place.report.write_bytes(audit_bytes(mark))
                await case.publishes(audit_bytes(mark))


@pytest.mark.parametrize("fs_type", ["nfs4", "nfs", "cifs", "smb3", "9p", "virtiofs", "vboxsf", "fuse.sshfs", "ceph"])
async def test_w12_network_mounts(place: Place, row: Row, fs_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where mountinfo says that the folder is on one, polling is chosen and said."""
    mountinfo = place.work / "mountinfo"
    mountinfo.write_text(
        "21 1 0:1 / / rw - ext4 /dev/vda rw\n"
        f"22 21 0:50 / {place.report.parent} rw,relatime shared:1 - {fs_type} server:/export rw,vers=4.2\n"
    )
    monkeypatch.setattr("watcher.mounts.MOUNTINFO", mountinfo)
    async with torture(place.report, row, report_poll_s=0.1) as case:
        await case.moves(HINTS)
        why = f"{fs_type} does not tell of changes made elsewhere"
        assert await case.metric(WATCH_MODE, mode="polling", why=why) == 1
        place.report.write_bytes(audit_bytes(1))
        await case.publishes(audit_bytes(1))


LIMITS = {
    "max_inotify_instances": "fs.inotify.max_user_instances",
    "max_inotify_watches": "fs.inotify.max_user_watches",
}


def with_none_left(limit: str) -> tuple[str, ...]:
    """Give what comes before a command that is to run in a user namespace where a limit is 0."""
    require("unshare")
    sysctl = f"/proc/sys/user/{limit}"
    in_namespace = ("unshare", "--user", "--map-root-user")
    if subprocess.run([*in_namespace, "test", "-w", sysctl], check=False).returncode:
        lacking("user namespaces are not allowed here")
    return (*in_namespace, "sh", "-c", f'echo 0 >{sysctl} && exec "$@"', "sh")


@pytest.mark.parametrize("limit", LIMITS)
async def test_w13_inotify_limits(place: Place, row: Row, limit: str, redis_url: str) -> None:
    """A watcher that may have none polls; its message names the sysctl; its reports are published all the same."""
    limited = with_none_left(limit)
    async with (
        watching_process(redis_url, place.report, row) as case,
        running_process(redis_url, place.report, case, before=limited, REPORT_POLL_S="0.1") as process,
    ):
        await case.publishes(FIRST)
        row.times_ms.clear()
        await case.moves(HINTS, channel="audit")
        assert LIMITS[limit] in await process.log_until("polling")
        assert f"raise {LIMITS[limit]}" in await process.metrics()
        for mark in range(3):
            place.report.write_bytes(audit_bytes(mark))
            await case.publishes(audit_bytes(mark))
        await case.finish()


async def test_w14_the_queue_overflows(place: Place, row: Row) -> None:
    """More events than the kernel keeps, while the loop is blocked, and the report's own come last: it is found."""
    async with torture(place.report, row) as case:
        await case.moves(HINTS)
        hints = await case.metric(HINTS)
        flood(place.report.parent)
        place.report.write_bytes(audit_bytes(1))
        await case.publishes(audit_bytes(1))
        await case.counts(HINTS, hints + 1)


def flood(folder: Path) -> None:
    """Raise more events in a folder than the kernel keeps; nothing is awaited, so nothing is read meanwhile."""
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    for number in range(most // 2 + 1000):  # that a file comes, and that it is closed
        (folder / f"neighbour-{number}").touch()
