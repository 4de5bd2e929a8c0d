"""
What is kept on disk of one channel: published reports and refused contents, written one after the other in a thread.

Disk trouble is told and counted, and delays no publication: what waits is bounded, and the oldest of it is given up.
A disk that hangs does not hold up the end of the process either.
"""

import asyncio
import datetime
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import structlog
from msgspec.structs import asdict
from reportcast.broker.base import HistoryLimits
from reportcast.contracts.errors import ReportError
from reportcast.contracts.messages import Publication, Rejection
from reportcast.contracts.report import ReportKind, parse_report

from watcher.history import History, HistoryError, Kept
from watcher.metrics import ChannelMetrics
from watcher.quarantine import Quarantine, QuarantineError
from watcher.settings import REJECTED, SourceSettings
from watcher.threads import in_daemon_thread

# Reports and contents that wait for a slow disk, with the one that is being written; the memory for them is bounded by
# this and REPORT_MAX_BYTES.
MAX_WAITING = 16
# What waits at the end is written for so long. Container engines kill 10 s after they ask a process to end.
LAST_WRITES_S = 2.0
# What is not read by then is not waited for, as a publication would be late by so much.
READ_S = 10.0

T = TypeVar("T")


class Archive:
    """
    A channel's directory below HISTORY_DIR.

    Args:
        directory: Where; made when it is not there.
        kind: What the channel's reports are.
        settings: How much is kept.
        metrics: The channel's.
        now: Aware UTC time.
    """

    def __init__(
        self,
        directory: Path,
        kind: ReportKind,
        settings: SourceSettings,
        metrics: ChannelMetrics,
        now: Callable[[], datetime.datetime],
    ) -> None:
        self._history = History(directory, settings.history_max_reports, settings.history_max_age_s)
        self._quarantine = Quarantine(directory / REJECTED, now=now)
        self._kind = kind
        self._metrics = metrics
        self._now = now
        self._log = structlog.get_logger("archive").bind(directory=ascii(str(directory))[1:-1])
        self._waiting: deque[Callable[[], None]] = deque(maxlen=MAX_WAITING - 1)
        self._wanted = asyncio.Event()
        self._disk = threading.Lock()  # held by the thread that uses the directory: writes do not overlap
        self._is_writing = False
        self._tenure = 0
        self._opened: int | None = None  # in which tenure
        self._trouble: str | None = None

    def begin(self) -> None:
        """Note that a tenure begins: another watcher may have written meanwhile, so the directory is opened again."""
        self._tenure += 1

    def end(self) -> None:
        """Give up what waits, for the tenure is over: it would make an old report the latest of the next watcher's."""
        self._waiting.clear()

    async def run(self) -> None:
        """Write what is waiting, for ever; what still waits at the end is written within LAST_WRITES_S, or given up."""
        try:
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                await in_daemon_thread(self._write_waiting)
        finally:
            await self._write_last()

    async def _write_last(self) -> None:
        if not self._waiting and not self._is_writing:
            return  # a read that hangs is not waited for
        try:
            async with asyncio.timeout(LAST_WRITES_S):
                # The thread of before goes on, too: they take turns, and both write what is the oldest by then.
                await in_daemon_thread(self._write_waiting)
        except TimeoutError:
            count = len(self._waiting) + self._is_writing
            self._waiting.clear()
            self._tell(f"the disk did not answer within {LAST_WRITES_S:g} s of the end: {count} writes given up", count)

    def _write_waiting(self) -> None:
        while self._write_next():
            pass

    def _write_next(self) -> bool:
        with self._disk:
            try:
                write = self._waiting.popleft()
            except IndexError:  # all is written, or was given up meanwhile
                return False
            self._is_writing = True
            try:
                self._attempt(write)
            finally:
                self._is_writing = False
        return True

    async def recent(self, limits: HistoryLimits) -> list[Publication]:
        """Read the newest of the kept reports, oldest first; none when the disk is in trouble."""
        return await self._read(lambda: self._recent(limits))

    async def moments(self, count: int) -> list[datetime.datetime]:
        """Tell when the newest of the kept reports were published, oldest first; as ``recent``."""
        return await self._read(lambda: self._history.moments(count))

    async def rejections(self) -> list[tuple[Rejection, bytes]]:
        """Read the rejected contents, oldest first, as many and as much of each as a broker keeps; as ``recent``."""
        return await self._read(self._quarantine.recent)

    async def _read(self, read: Callable[[], list[T]]) -> list[T]:
        found: list[T] = []
        try:
            async with asyncio.timeout(READ_S):
                await in_daemon_thread(lambda: self._read_in_turn(lambda: found.extend(read())))
        except TimeoutError:
            self._tell(f"the disk did not answer within {READ_S:g} s: nothing is read")
            return []
        return found

    def _read_in_turn(self, read: Callable[[], None]) -> None:
        if not self._disk.acquire(timeout=READ_S):  # without end, threads would pile up behind one that hangs
            raise TimeoutError
        try:
            self._attempt(read)
        finally:
            self._disk.release()

    def _recent(self, limits: HistoryLimits) -> list[Publication]:
        kept = self._history.recent(limits.max_reports, limits.max_bytes)
        return [publication for each in kept if (publication := self._publication(each)) is not None]

    def _publication(self, kept: Kept) -> Publication | None:
        try:
            report = parse_report(kept.body, self._kind)
        except ReportError:  # changed by hand since
            return None
        stem = kept.name.removesuffix(".json")
        return Publication(stem, report.digest, kept.published_at, kept.published_at, report.body, report.findings)

    def keep(self, name: str, publication: Publication) -> None:
        """Keep a published report under its name; a broker's state that an older version wrote has none."""
        self._put(lambda: self._keep(name or f"{publication.stem}.json", publication))

    def reject(self, rejection: Rejection, content: bytes) -> None:
        """Keep a refused content."""
        self._put(lambda: self._quarantine.keep(asdict(rejection), content))

    def _keep(self, name: str, publication: Publication) -> None:
        newest = self._history.newest()
        if newest is None or newest.body != publication.body:
            self._history.keep(name, publication.body, publication.published_at)

    def _put(self, write: Callable[[], None]) -> None:
        if len(self._waiting) == self._waiting.maxlen:
            self._tell(f"the disk is too slow: {MAX_WAITING} writes wait, the oldest is given up")
        self._waiting.append(write)  # the oldest goes
        self._wanted.set()

    def _attempt(self, write: Callable[[], object]) -> None:
        # Each step is tried: what stands in the place of latest.json keeps no report from being kept or read.
        troubles = [*self._open(), *_troubles(write)]
        if troubles:
            self._tell(troubles[0])
            return
        if self._trouble:
            self._log.info("history kept again")
        self._trouble = None

    def _open(self) -> list[str]:
        tenure = self._tenure  # the next may begin any time, and needs another opening
        if self._opened == tenure:
            return []
        troubles = _troubles(lambda: self._history.open(self._now()), self._quarantine.open)
        if not troubles:
            self._opened = tenure
        return troubles

    def _tell(self, trouble: str, count: int = 1) -> None:
        self._metrics.history_errors.inc(count)
        if trouble != self._trouble:
            self._trouble = trouble
            self._log.error("history not kept", reason=trouble)


def _troubles(*steps: Callable[[], object]) -> list[str]:
    """Take each step, and say what hindered some."""
    found = []
    for step in steps:
        try:
            step()
        except (HistoryError, QuarantineError) as exc:
            found.append(str(exc))
    return found
