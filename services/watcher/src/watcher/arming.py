"""Having the kernel watch whatever a path leads through, and telling how far that can be trusted."""

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from watcher.chain import Chain, walk
from watcher.inotify import SELF, Inotify, Interest
from watcher.mounts import is_file_mount, mount_of, read_mountinfo, why_no_events

_WHY_NO_INSTANCE = {
    errno.ENOSYS: "this platform has no inotify",
    errno.EMFILE: "no inotify instance is left; raise fs.inotify.max_user_instances or the limit of open files",
}
_WHY_NO_WATCH = {errno.ENOSPC: "no inotify watch is left; raise fs.inotify.max_user_watches"}


class Armed(NamedTuple):
    """
    What is watched for a path.

    Attributes:
        watches: The watch of each interest that could be had.
        why: Why that is not enough, as part of a sentence; empty if it is.
    """

    watches: Mapping[Interest, int]
    why: str = ""


def arm(path: Path, inotify: Inotify) -> Armed:
    """
    Watch whatever ``path`` leads through now; may block as long as the file systems on the way do.

    Args:
        path: Its last component may be a pattern.
        inotify: To watch with.
    """
    try:
        inotify.open()
    except OSError as error:
        return Armed({}, _why(error, _WHY_NO_INSTANCE))
    try:
        chain = walk(path)
        why_deaf = _why_deaf(chain, read_mountinfo())
    except OSError as error:  # no working directory, or no more open files
        return Armed({}, _why(error, {}))
    watches, why_not = _add_all(chain, inotify)
    return Armed(watches, why_deaf or chain.why or why_not)


def _add_all(chain: Chain, inotify: Inotify) -> tuple[dict[Interest, int], str]:
    watches, why = {}, ""
    for interest in sorted(chain.interests):
        try:
            watches[interest] = inotify.add(interest)
        except OSError as error:
            # Directories above often may be passed and not read; only that they are renamed is missed then.
            if interest.mask != SELF or error.errno != errno.EACCES:
                why = _why(error, _WHY_NO_WATCH, interest.directory)
    return watches, why


def _why_deaf(chain: Chain, mountinfo: str) -> str:
    if is_file_mount(chain.end, mountinfo):
        return "the file itself is a mount point: its directory tells nothing of it, and it can't be replaced"
    for directory in sorted({interest.directory for interest in chain.interests if interest.mask != SELF}):
        mount = mount_of(directory, mountinfo)
        why = mount and why_no_events(mount.fs_type)
        if why:
            return why
    return ""


def _why(error: OSError, known: Mapping[int, str], where: str = "") -> str:
    said = f"{where}: {error.strerror}" if where else str(error)
    return known.get(error.errno or 0, ascii(said)[1:-1])
