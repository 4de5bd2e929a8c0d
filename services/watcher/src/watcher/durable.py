"""
Files that are whole or absent, whenever the process is killed: the writing that history and quarantine share.

A directory has one writer at a time. Nothing here follows a symlink, and what raises, raises ``OSError``.
"""

import contextlib
import dataclasses
import errno
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

_TEMPORARY = re.compile(r"\.reportcast-[0-9a-f]{16}\.tmp")
# Some file systems (CIFS, FUSE) cannot sync a directory; there is nothing better to do there.
_NO_DIRECTORY_SYNC = {errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS}
# Two machines' clocks may differ by so much; a time further in the future comes from a clock that was wrong.
_SKEW_NS = 60 * 10**9


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """
    A regular file in a directory.

    Attributes:
        name: Of the file, without its directory.
        size: In bytes.
        modified_ns: Since 1970.
    """

    name: str
    size: int
    modified_ns: int


def write(directory: Path, name: str, content: bytes, modified_ns: int) -> None:
    """Put ``content`` there in one step, replacing a file of that name; on disk when this returns."""
    with _temporary(directory) as temporary:
        # The mode is less the umask, which is the operator's.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            _write_all(descriptor, content)
            os.utime(descriptor, ns=(modified_ns, modified_ns))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, directory / name)
    sync_directory(directory)


def point(directory: Path, name: str, target: str) -> None:
    """Make ``name`` a symlink to ``target`` in one step, replacing what is no directory; on disk when this returns."""
    path = directory / name
    with contextlib.suppress(OSError):  # absent, or no symlink
        if os.readlink(path) == target:
            return
    with _temporary(directory) as temporary:
        os.symlink(target, temporary)
        os.replace(temporary, path)
    sync_directory(directory)


def read(path: Path, max_bytes: int) -> bytes:
    """Read a regular file, at most one byte more than ``max_bytes``."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode):  # replaced since it was found
            raise OSError(errno.EINVAL, "no regular file", str(path))
        return file.read(min(max_bytes, seen.st_size) + 1)


def scan(directory: Path, is_wanted: Callable[[str], object]) -> list[Found]:
    """List the regular files whose names are wanted, in no order."""
    found = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if not is_wanted(entry.name):
                continue
            with contextlib.suppress(FileNotFoundError):  # gone meanwhile
                seen = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(seen.st_mode):
                    found.append(Found(entry.name, seen.st_size, seen.st_mtime_ns))
    return found


def remove_temporaries(directory: Path) -> None:
    """Remove what a killed process left half-written."""
    with os.scandir(directory) as entries:
        names = [entry.name for entry in entries if _TEMPORARY.fullmatch(entry.name)]
    remove_all(directory / name for name in names)


def remove(path: Path) -> None:
    """Remove a file, or a symlink itself; it may be gone already."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def remove_all(paths: Iterable[Path]) -> None:
    """Remove each that can be removed, then raise for the last that could not."""
    failure = None
    for path in paths:
        try:
            remove(path)
        except OSError as exc:
            failure = exc
    if failure is not None:
        raise failure


def disposable_first(found: list[Found], now_ns: int) -> list[Found]:
    """
    Order files by what can be missed most: the oldest first.

    Those of the future come before all others, or they would stay until the clock has caught up with them, and
    everything new would go instead.
    """
    horizon_ns = now_ns + _SKEW_NS
    return sorted(found, key=lambda file: (file.modified_ns <= horizon_ns, file.modified_ns, file.name))


def sync_directory(directory: Path) -> None:
    """Put the directory's entries on disk, where its file system can."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as exc:
        if exc.errno not in _NO_DIRECTORY_SYNC:
            raise
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _temporary(directory: Path) -> Iterator[Path]:
    path = directory / f".reportcast-{secrets.token_hex(8)}.tmp"
    try:
        yield path
    except OSError:
        with contextlib.suppress(OSError):  # never made, or not removable: the first error says more
            os.unlink(path)
        raise


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
