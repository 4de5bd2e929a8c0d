"""
What is mounted where, and whether inotify can be trusted there.

The kernel tells only of changes that it makes itself: what another machine, the host of a virtual machine or the
process behind a FUSE mount changes goes by in silence.
"""

import contextlib
import functools
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

MOUNTINFO = Path("/proc/self/mountinfo")

# Network and cluster file systems, folders shared by the host of a virtual machine, and what presents those.
DEAF = frozenset(
    (
        *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "drvfs", "fakeowner", "fuse", "gfs2", "glusterfs", "gpfs"),
        *("hgfs", "lustre", "ncp", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "osxfs", "prl_fs", "smb2", "smb3"),
        *("smbfs", "vboxsf", "virtiofs", "vmhgfs"),
    )
)


class Mount(NamedTuple):
    """
    One line of mountinfo, unescaped.

    Attributes:
        mount_id: Its number.
        parent_id: Number of the mount that it is mounted on.
        root: What of the file system is seen at ``point``: ``/``, or the folder or file of a bind mount.
        point: Where it is mounted.
        fs_type: As in ``ext4`` or ``fuse.sshfs``.
        source: What is mounted, in the words of the file system.
    """

    mount_id: int
    parent_id: int
    root: str
    point: str
    fs_type: str
    source: str


def read_mountinfo() -> str:
    """
    Give the text that the functions below take; empty where there is none to be had.

    Raises:
        OSError: If it is there and can't be read now, as when no more files can be opened.
    """
    with contextlib.suppress(FileNotFoundError, PermissionError):
        return os.fsdecode(MOUNTINFO.read_bytes())
    return ""


@functools.lru_cache(maxsize=4)  # the same text is asked for each directory of each report
def parse_mountinfo(mountinfo: str) -> tuple[Mount, ...]:
    """Give the mounts in the order of the text; lines that are none are left out."""
    return tuple(_parsed(mountinfo.split("\n")))


def _parsed(lines: Iterable[str]) -> Iterable[Mount]:
    for line in lines:
        with contextlib.suppress(ValueError, IndexError):
            fields = line.split(" ")
            after = fields.index("-", 6)  # optional fields come before it
            root, point, source = (_unescaped(field) for field in (fields[3], fields[4], fields[after + 2]))
            yield Mount(int(fields[0]), int(fields[1]), root, point, fields[after + 1], source)


def _unescaped(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)


def mount_of(path: str | Path, mountinfo: str) -> Mount | None:
    """
    Give the mount that ``path`` is on; ``None`` if none is known.

    Args:
        path: Absolute and without symlinks; it need not exist.
        mountinfo: As ``read_mountinfo`` gives it.
    """
    mounts = parse_mountinfo(mountinfo)
    listed = {mount.mount_id for mount in mounts if mount.mount_id != mount.parent_id}
    over = [mount for mount in mounts if _covers(mount.point, str(path))]
    found: Mount | None = None
    # As the kernel walks: from each mount to the first on it that the path meets. The longest prefix alone would also
    # find mounts that a later one above them hides.
    for _ in over:
        on_it = [mount for mount in over if _is_on(mount, found, listed)]
        if not on_it:
            break
        shortest = min(len(mount.point) for mount in on_it)
        found = [mount for mount in on_it if len(mount.point) == shortest][-1]
    return found


def _is_on(mount: Mount, below: Mount | None, listed: set[int]) -> bool:
    if below is None:
        return mount.parent_id not in listed
    return mount.parent_id == below.mount_id != mount.mount_id


def _covers(point: str, path: str) -> bool:
    return path == point or path.startswith(point.rstrip("/") + "/")


def is_file_mount(path: str | Path, mountinfo: str) -> bool:
    """
    Tell whether the file at ``path`` is itself a mount point: a single-file bind mount, a Kubernetes ``subPath``.

    Such a file stays the one that was mounted, whatever takes its place at its source.

    Args:
        path: As for ``mount_of``.
        mountinfo: As for ``mount_of``.
    """
    mount = mount_of(path, mountinfo)
    return mount is not None and mount.point == str(path)


def why_no_events(fs_type: str) -> str | None:
    """Give why inotify can't be trusted on a file system, as part of a sentence; ``None`` if it can."""
    if fs_type in DEAF or fs_type.startswith("fuse."):
        return f"{fs_type} does not tell of changes made elsewhere"
    return None
