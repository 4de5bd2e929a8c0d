"""
What is kept on disk of one channel: published reports and refused contents, written one after the other in a thread.

Disk trouble is told and counted, and delays no publication: what waits is bounded, and the oldest of it is given up.
"""

import asyncio
import datetime
import functools
from collections.abc import Callable
from pathlib import Path

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

# Reports and contents that wait for a slow disk; the memory for them is bounded by this and REPORT_MAX_BYTES.
MAX_WAITING = 16


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
        self._waiting: asyncio.Queue[Callable[[], None]] = asyncio.Queue(MAX_WAITING)
        self._is_open = False
        self._trouble: str | None = None

    async def run(self) -> None:
        """Write what is waiting, for ever; what still waits at the end is written then."""
        try:
            while True:
                write = await self._waiting.get()
                await in_daemon_thread(functools.partial(self._attempt, write))
        finally:
            while not self._waiting.empty():
                self._attempt(self._waiting.get_nowait())

    async def recent(self, limits: HistoryLimits) -> list[Publication]:
        """Read the newest of the kept reports, oldest first; none when the disk is in trouble."""
        found: list[Publication] = []
        await in_daemon_thread(lambda: self._attempt(lambda: found.extend(self._recent(limits))))
        return found

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
        """Keep a published report under its name."""
        self._put(lambda: self._keep(name, publication))

    def reject(self, rejection: Rejection, content: bytes) -> None:
        """Keep a refused content."""
        self._put(lambda: self._quarantine.keep(asdict(rejection), content))

    def _keep(self, name: str, publication: Publication) -> None:
        newest = self._history.newest()
        if newest is None or newest.body != publication.body:
            self._history.keep(name, publication.body, publication.published_at)

    def _put(self, write: Callable[[], None]) -> None:
        if self._waiting.full():
            self._waiting.get_nowait()
            self._tell(f"the disk is too slow: {MAX_WAITING} writes wait, the oldest is given up")
        self._waiting.put_nowait(write)

    def _attempt(self, write: Callable[[], object]) -> None:
        try:
            if not self._is_open:
                self._history.open(self._now())
                self._quarantine.open()
                self._is_open = True
            write()
        except (HistoryError, QuarantineError) as exc:
            self._tell(str(exc))
            return
        if self._trouble:
            self._log.info("history kept again")
        self._trouble = None

    def _tell(self, trouble: str) -> None:
        self._metrics.history_errors.inc()
        if trouble != self._trouble:
            self._trouble = trouble
            self._log.error("history not kept", reason=trouble)
