"""Reading the report file once: never blocks on what is no regular file, never reads past the limit."""

import contextlib
import dataclasses
import fnmatch
import glob
import hashlib
import os
import stat
from pathlib import Path

from reportcast.contracts.clock import utc_now, utc_ns
from reportcast.contracts.errors import (
    ReportError,
    ReportMissing,
    ReportTooLarge,
    ReportUnreadable,
    ReportUnsettled,
)
from reportcast.contracts.report import Report, ReportKind, parse_report

# The file's identity and every trace that a change leaves: device, inode, size, mtime and ctime in ns.
Fingerprint = tuple[int, int, int, int, int]

# What is there beyond a file's size, as it grows, is read in such pieces.
CHUNK_BYTES = 65536


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """
    What one read of the file gave.

    Attributes:
        content: The report, or why there is none.
        file: The name of the file that was read.
        raw: Its bytes; empty if they could not be read.
        fingerprint: Of the file that was read; ``None`` if there was no file.
        modified_ns: Its modification time since 1970; 0 if there was no file.
    """

    content: Report | ReportError
    file: str
    raw: bytes = b""
    fingerprint: Fingerprint | None = None
    modified_ns: int = 0

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, hexadecimal."""
        return hashlib.sha256(self.raw).hexdigest()


def fingerprint(path: Path) -> Fingerprint | None:
    """Look at the file without reading it; ``None`` if that is not possible."""
    try:
        return _traces(os.stat(path))
    except OSError:
        return None


class Reader:
    """
    Reads one report's file again and again; content that it has judged already is not parsed again.

    Args:
        path: The report file. If its last component is a pattern, the newest file that matches is the report's.
        kind: What the report has to be.
        max_bytes: Of which no more are read.
    """

    def __init__(self, path: Path, kind: ReportKind, max_bytes: int) -> None:
        self._path = path
        self._kind = kind
        self._max_bytes = max_bytes
        self._judged: tuple[bytes, Report | ReportError] | None = None

    def read_if_touched(self, known: Fingerprint | None) -> Reading | None:
        """Read the file unless it is the ``known`` one, untouched; then give ``None``."""
        path = newest(self._path)
        if known is not None and fingerprint(path) == known:
            return None
        return self._read(path)

    def read(self) -> Reading:
        """Read and parse the file as it is now."""
        return self._read(newest(self._path))

    def _read(self, path: Path) -> Reading:
        try:
            raw, traces, modified_ns = _read(path, self._max_bytes)
        except ReportError as error:
            return Reading(error, path.name, fingerprint=fingerprint(path))
        return Reading(self._judge(raw), path.name, raw, traces, modified_ns)

    def _judge(self, raw: bytes) -> Report | ReportError:
        digest = hashlib.sha256(raw).digest()
        if self._judged is None or self._judged[0] != digest:
            try:
                self._judged = digest, parse_report(raw, self._kind)
            except ReportError as error:
                # Without its traceback, which would keep the bytes.
                self._judged = digest, error.with_traceback(None)
        return self._judged[1]


def newest(path: Path) -> Path:
    """
    Give the newest file that matches ``path``, by modification time and then by name.

    Only regular files and links to them count, and hidden ones only if the pattern begins with a dot. Of a file
    from the future counts when it was put there: otherwise it would shadow every later one.

    Returns:
        ``path`` itself if its last component is no pattern, or nothing matches.
    """
    if not glob.has_magic(path.name):
        return path
    now_ns = utc_ns(utc_now())
    found = []
    with contextlib.suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if _matches(entry.name, path.name):
                with contextlib.suppress(OSError):  # gone meanwhile, or a dangling link
                    traces = entry.stat()
                    if stat.S_ISREG(traces.st_mode):
                        found.append((_modified_ns(traces, now_ns), entry.name))
    return path.parent / max(found)[1] if found else path


def _matches(name: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern) and (not name.startswith(".") or pattern.startswith("."))


def _modified_ns(traces: os.stat_result, now_ns: int) -> int:
    # Nobody can set the time of the last change to the inode (unless the server's clock is ahead).
    return traces.st_mtime_ns if traces.st_mtime_ns <= now_ns else min(traces.st_ctime_ns, now_ns)


def _read(path: Path, max_bytes: int) -> tuple[bytes, Fingerprint, int]:
    try:
        _refuse_special(path, os.stat(path))
        # O_NONBLOCK: the file may have become a FIFO since.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except FileNotFoundError as exc:
        raise ReportMissing(str(path)) from exc
    except OSError as exc:
        raise ReportUnreadable(str(path), exc.strerror or str(exc)) from exc
    try:
        before = os.fstat(descriptor)
        _refuse_special(path, before)
        if before.st_size > max_bytes:
            raise ReportTooLarge(before.st_size, max_bytes)
        raw = _read_to_end(descriptor, before.st_size, max_bytes)
        after = os.fstat(descriptor)
    except OSError as exc:  # a network file system may fail at any of them
        raise ReportUnreadable(str(path), exc.strerror or str(exc)) from exc
    finally:
        os.close(descriptor)
    if _traces(before) != _traces(after) or len(raw) != after.st_size:
        raise ReportUnsettled(str(path))
    return raw, _traces(after), after.st_mtime_ns


def _read_to_end(descriptor: int, expected: int, max_bytes: int) -> bytes:
    chunks: list[bytes] = []
    # In one piece, which is not copied, if it has the size that it said.
    size, wanted = 0, expected + 1
    while chunk := os.read(descriptor, wanted):
        chunks.append(chunk)
        size, wanted = size + len(chunk), CHUNK_BYTES
        if size > max_bytes:  # it grew while it was read
            raise ReportTooLarge(size, max_bytes)
    return b"".join(chunks)


def _refuse_special(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}.get(
            stat.S_IFMT(found.st_mode), "a device"
        )
        raise ReportUnreadable(str(path), f"it is {kind}; a regular file is expected")


def _traces(found: os.stat_result) -> Fingerprint:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
