"""The file systems that every case runs on, each with a first report in place."""

import contextlib
import dataclasses
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.support.reports import audit_bytes
from tests.torture.need import mount, unmount

NAMES = ("disk", "tmpfs", "overlay")
FIRST = audit_bytes("first")

# Where a machine keeps what has to survive a restart: never a tmpfs, as /tmp may be.
DISK = "/var/tmp"
SHARED_MEMORY = "/dev/shm"


@dataclasses.dataclass(frozen=True)
class Place:
    """
    A folder on one kind of file system.

    Attributes:
        name: One of NAMES.
        folder: All of it may be written to.
        far: A folder on another file system.
    """

    name: str
    folder: Path
    far: Path

    @property
    def report(self) -> Path:
        """The watched file; FIRST is in it from the start (on an overlay: in the lower layer)."""
        return self.folder / "reports" / "r.json"

    @property
    def work(self) -> Path:
        """A folder that nobody watches, on the same file system."""
        return self.folder / "work"


@contextlib.contextmanager
def made(name: str) -> Iterator[Place]:
    """Make a place; afterwards nothing of it is left."""
    with _fresh(DISK) as disk, _fresh(SHARED_MEMORY) as memory:
        if name == "disk":
            yield _seeded(Place(name, disk, memory))
        elif name == "tmpfs":
            with _tmpfs(memory) as folder:
                yield _seeded(Place(name, folder, disk))
        else:
            with _overlay(disk) as folder:
                yield Place(name, folder, memory)


@contextlib.contextmanager
def _fresh(below: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="reportcast-torture-", dir=below) as name:
        folder = Path(name)
        folder.chmod(0o755)  # for a watcher that is another user
        yield folder


@contextlib.contextmanager
def _tmpfs(memory: Path) -> Iterator[Path]:
    if os.geteuid() != 0:  # /dev/shm is one
        yield memory
        return
    mount("-t", "tmpfs", "-o", "size=512m,mode=755", "tmpfs", str(memory))
    try:
        yield memory
    finally:
        unmount(memory)


@contextlib.contextmanager
def _overlay(disk: Path) -> Iterator[Path]:
    lower, upper, work, merged = (disk / name for name in ("lower", "upper", "index", "merged"))
    for folder in (lower, upper, work, merged):
        folder.mkdir()
    _seeded(Place("overlay", lower, disk))
    mount("-t", "overlay", "overlay", "-o", f"lowerdir={lower},upperdir={upper},workdir={work}", str(merged))
    try:
        yield merged
    finally:
        unmount(merged)


def _seeded(place: Place) -> Place:
    place.work.mkdir()
    place.report.parent.mkdir()
    place.report.write_bytes(FIRST)
    return place
