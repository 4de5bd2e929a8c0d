"""
The published reports in a directory: one file each, and ``latest.json`` for the newest.

The layout is that of the auditor's own tools: ``<timestamp>.json``, and ``ln -sf <timestamp>.json latest.json``.

Errors:
    HistoryError: The directory cannot be used, or a name is unfit.
"""

import contextlib
import dataclasses
import datetime
import errno
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import structlog
from reportcast.contracts.clock import moment_of, utc_ns
from reportcast.contracts.report import is_history_name

from watcher import durable
from watcher.durable import Found

LATEST = "latest.json"
# A larger file is not read. Four times REPORT_MAX_BYTES as it comes.
MAX_BYTES = 64 * 1024 * 1024
# What a file system without symlinks answers: FAT, CIFS and some of FUSE.
_NO_SYMLINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}


class HistoryError(Exception):
    """Says in one sentence what happened; what was allowed."""


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """
    A report of the history.

    Attributes:
        name: Of its file, as in ``2026-11-23T12:00:00Z.json``.
        body: Strict JSON.
        published_at: Aware; the file's modification time.
    """

    name: str
    body: bytes
    published_at: datetime.datetime


class History:
    """
    The reports kept in one directory, of which this is the only writer from ``open`` on.

    Files of other names, dotfiles, directories and symlinks are neither read nor changed.

    Args:
        directory: Where; need not exist before ``open``.
        max_reports: At most so many; the oldest go first. The newest always stays.
        max_age_s: None older than this stays, but for the newest.
        max_bytes: A larger file is not read.
    """

    def __init__(self, directory: Path, max_reports: int, max_age_s: float, *, max_bytes: int = MAX_BYTES) -> None:
        self._directory = directory
        self._max_reports = max_reports
        self._max_age_s = max_age_s
        self._max_bytes = max_bytes
        self._last: str | None = None  # what was kept last: the newest, even if the clock went back
        self._told: set[tuple[Found, str]] = set()
        self._log = structlog.get_logger("history").bind(directory=ascii(str(directory))[1:-1])

    def open(self, now: datetime.datetime) -> None:
        """
        Make the directory ready: there, without left-overs, within its bounds, with the right ``latest.json``.

        Raises:
            HistoryError: If that cannot be done.
        """
        with self._explained():
            self._directory.mkdir(parents=True, exist_ok=True)
            durable.remove_temporaries(self._directory)
        self._last = None  # another watcher may have been the writer meanwhile
        newest = self.newest()
        with self._explained():
            try:
                if newest is not None:
                    self._last = newest.name
                    self._point_latest(newest.name, newest.body, newest.published_at)
            finally:  # whatever stands in the place of latest.json, the bounds hold
                self._prune(now)

    def keep(self, name: str, body: bytes, published_at: datetime.datetime) -> str:
        """
        Keep a report, and make it the latest.

        Args:
            name: What it should be called; if other content has that name, ``+2``, ``+3``, ... is added.
            body: Strict JSON. Content that is kept under this name, or a numbered one of it, is not written again.
            published_at: Aware; becomes the file's modification time.

        Returns:
            The name it has. It is on disk, whatever happens to the process or the machine.

        Raises:
            HistoryError: If the name is unfit, the file cannot be written, or what is too much cannot be removed. What
                was there is whole, and keeping it again is harmless.
        """
        if not is_history_name(name):
            raise HistoryError(f"{name!a} cannot name a report; letters, digits and : . + _ - before .json are allowed")
        with self._explained():
            used = self._known_as(name, body)
            if used is None:
                used = self._free_name(name)
                durable.write(self._directory, used, body, utc_ns(published_at))
            else:
                modified_ns = utc_ns(published_at)
                os.utime(self._directory / used, ns=(modified_ns, modified_ns), follow_symlinks=False)
            self._last = used
            try:
                self._point_latest(used, body, published_at)
            finally:  # whatever stands in the place of latest.json, the bounds hold
                self._prune(published_at)
        return used

    def kept(self) -> Iterator[Kept]:
        """
        Give the reports, oldest first; one that cannot be read, or is no strict JSON, is left out and logged once.

        Raises:
            HistoryError: If the directory cannot be listed.
        """
        return self._readable(self._oldest_first())

    def recent(self, max_reports: int, max_bytes: int) -> list[Kept]:
        """
        Give the newest reports within the limits, oldest first; the newest is always among them.

        Raises:
            HistoryError: If the directory cannot be listed.
        """
        found: list[Kept] = []
        size = 0
        for kept in self._readable(reversed(self._oldest_first())):
            size += len(kept.body)
            if found and (len(found) >= max_reports or size > max_bytes):
                break
            found.append(kept)
        return found[::-1]

    def moments(self, count: int) -> list[datetime.datetime]:
        """
        Give when the newest reports were published, oldest first; aware.

        Raises:
            HistoryError: If the directory cannot be listed.
        """
        return [moment_of(file.modified_ns) for file in self._oldest_first()[-count:]]

    def newest(self) -> Kept | None:
        """
        Give the newest report that can be read.

        Raises:
            HistoryError: If the directory cannot be listed.
        """
        return next(self._readable(reversed(self._oldest_first())), None)

    def _oldest_first(self) -> list[Found]:
        with self._explained():
            found = durable.scan(self._directory, _is_report)
        return sorted(found, key=lambda file: (file.name == self._last, file.modified_ns, file.name))

    def _readable(self, found: Iterable[Found]) -> Iterator[Kept]:
        for file in found:
            try:
                body = durable.read(self._directory / file.name, self._max_bytes)
                yield Kept(file.name, self._checked(body), moment_of(file.modified_ns))
            except FileNotFoundError:  # pruned meanwhile
                continue
            except (OSError, ValueError, RecursionError, msgspec.DecodeError) as exc:
                self._tell(file, str(exc))

    def _checked(self, body: bytes) -> bytes:
        if len(body) > self._max_bytes:
            raise ValueError(f"it is larger than {self._max_bytes} bytes")
        body.decode()
        msgspec.json.decode(body, type=msgspec.Raw)
        return body

    def _tell(self, file: Found, reason: str) -> None:
        if (file, reason) not in self._told:
            self._told.add((file, reason))
            self._log.warning("kept report skipped", name=file.name, reason=reason)

    def _known_as(self, name: str, body: bytes) -> str | None:
        numbered = re.compile(rf"{re.escape(_base(name))}\+[0-9]{{1,20}}\.json")
        known = durable.scan(self._directory, lambda other: other == name or numbered.fullmatch(other))
        for file in known:
            path = self._directory / file.name
            if file.size == len(body) and _is_report(file.name) and durable.read(path, file.size) == body:
                return file.name
        return None

    def _free_name(self, name: str) -> str:
        number, candidate = 1, name
        # Not only files: anything of that name takes it, and on some file systems the case of letters is one.
        while candidate.lower() == LATEST or os.path.lexists(self._directory / candidate):
            number += 1
            candidate = f"{_base(name)}+{number}.json"
        return candidate

    def _point_latest(self, name: str, body: bytes, published_at: datetime.datetime) -> None:
        try:
            durable.point(self._directory, LATEST, name)
        except OSError as exc:
            if exc.errno not in _NO_SYMLINKS:
                raise
            durable.write(self._directory, LATEST, body, utc_ns(published_at))

    def _prune(self, now: datetime.datetime) -> None:
        now_ns = utc_ns(now)
        oldest_ns = now_ns - int(self._max_age_s * 1e9)
        others = durable.disposable_first(self._oldest_first()[:-1], now_ns)
        surplus = len(others) + 1 - self._max_reports
        durable.remove_all(
            self._directory / file.name
            for index, file in enumerate(others)
            if index < surplus or file.modified_ns < oldest_ns
        )

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            sentence = f"history cannot be kept in {ascii(str(self._directory))[1:-1]}: {exc.strerror or exc}"
            raise HistoryError(f"{sentence}; a directory that can be written is expected") from exc


def _is_report(name: str) -> bool:
    return is_history_name(name) and name.lower() != LATEST


def _base(name: str) -> str:
    """Give what a number can be added to: the stem, or the stem without its number if another makes it too long."""
    stem = name.removesuffix(".json")
    return stem if is_history_name(f"{stem}+2.json") else stem.rpartition("+")[0]
