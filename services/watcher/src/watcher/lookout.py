"""One report's lookout: looks at the file when something hints at a change, and hands on what the reading means."""

import asyncio
import datetime
from collections.abc import Callable
from pathlib import Path

import structlog
from msgspec.structs import replace
from reportcast.contracts.clock import iso_utc, moment_of, utc_ns
from reportcast.contracts.errors import ReportError, ReportHeld, ReportMissing
from reportcast.contracts.messages import Rejection, Source, SourceState
from reportcast.contracts.report import Report, ReportKind, parse_report

from watcher.cadence import Cadence
from watcher.gate import Dated, judge
from watcher.inotify import Hint
from watcher.metrics import ChannelMetrics
from watcher.publisher import Offer, Publisher
from watcher.quarantine import readable_diff
from watcher.reader import Fingerprint, Reader, Reading
from watcher.settings import SourceSettings
from watcher.settle import Decision, Settle
from watcher.threads import in_daemon_thread
from watcher.watch import Watch, WatchMode

# How often the way to the file is resolved anew without an event. It costs 0.4 ms; what it finds (a file system mounted
# over a directory, an inotify limit that was raised) is rare, and the sweep finds its changes meanwhile. All channels
# do it together, one after the other in one thread: spread out, it costs twice as much in wake-ups.
REARM_S = 30.0


class Lookout:
    """
    Looks after one channel's report.

    Args:
        channel: Its name.
        path: Where its file is.
        kind: What it has to be.
        settings: How the file is read.
        publisher: To hand on to.
        watch: Gives the hints.
        metrics: The channel's.
        now: Aware UTC time.
    """

    def __init__(
        self,
        channel: str,
        path: Path,
        kind: ReportKind,
        settings: SourceSettings,
        publisher: Publisher,
        watch: Watch,
        metrics: ChannelMetrics,
        now: Callable[[], datetime.datetime],
    ) -> None:
        self._kind = kind
        self._settings = settings
        self._publisher = publisher
        self._metrics = metrics
        self._now = now
        self._log = structlog.get_logger("lookout").bind(channel=channel, path=ascii(str(path))[1:-1])
        self._reader = Reader(path, kind, settings.report_max_bytes)
        self._settle = Settle(settings.report_settle_s, settings.report_sweep_s)
        self._cadence = Cadence(settings.expected_every_s(channel))
        self._followed = watch.follow(path, self._hint, self._on_mode)
        self._hinted = asyncio.Event()
        self._is_closed = False
        self._refresh_requested = False
        self._looked_at: Fingerprint | None = None
        self._accepted: Fingerprint | None = None
        self._was_hinted = False
        self._last: Dated | None = None
        self._doubted_s: float | None = None
        self._source: Source | None = None
        publisher.on_tenure(self._hinted.set)

    def refresh(self) -> None:
        """Read the file again although nothing hints at a change, and have the gateways told."""
        self._refresh_requested = True
        self._hinted.set()

    async def run(self) -> None:
        """Look, for ever."""
        await self._recall()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._rearm_for_ever())
            while True:
                hinted = self._hinted.is_set()
                self._hinted.clear()
                await self._look(hinted)
                await self._rest()

    def _hint(self, hint: Hint) -> None:
        self._metrics.hints.inc()
        if hint is not Hint.LOOK:
            self._is_closed = hint is Hint.DONE
        self._hinted.set()

    def _on_mode(self, mode: WatchMode) -> None:
        self._metrics.set_watch_mode(mode.kind, mode.why)

    async def _recall(self) -> None:
        """Know what was good before a restart, to compare with: the report, its time and its cadence."""
        state = await self._publisher.recall()
        learnt_s = state.source.expected_every_s if state.source else None
        snapshot = state.snapshot
        if snapshot is None:
            return
        try:
            report = await in_daemon_thread(lambda: parse_report(snapshot.body, self._kind))
        except ReportError:  # what an earlier version found good
            return
        self._last = Dated(report, utc_ns(snapshot.modified_at))
        age_s = max(0.0, (self._now() - snapshot.modified_at).total_seconds())
        self._cadence.recall(learnt_s, asyncio.get_running_loop().time() - age_s)

    async def _rearm_for_ever(self) -> None:
        while True:
            await self._followed.rearm()
            await asyncio.sleep(REARM_S)

    async def _look(self, hinted: bool) -> None:
        clock = asyncio.get_running_loop().time
        refresh, self._refresh_requested = self._refresh_requested, False
        fence, began_s, is_closed = self._publisher.fence, clock(), self._is_closed
        # An event is reason enough to read: a file system's clock is too coarse to tell two quick writes apart.
        by_event = hinted and self._followed.mode.kind == "inotify"
        must_read = refresh or by_event or self._publisher.awaits_look or self._settle.must_read(began_s)
        known = None if must_read else self._looked_at
        # In a thread: a file system that hangs must not hang the event loop.
        reading = await in_daemon_thread(lambda: self._reader.read_if_touched(known))
        if reading is not None:
            await self._act(reading, began_s, clock(), hinted, is_closed and self._is_closed)
            self._publisher.looked(fence)
            if not self._hinted.is_set():  # else it is of the next look
                self._is_closed = False
        self._tell_source()
        if refresh:
            self._publisher.announce_refreshed()

    async def _rest(self) -> None:
        pause = self._settle.pause(asyncio.get_running_loop().time())
        if pause.deaf_s:
            await asyncio.sleep(pause.deaf_s)
        try:
            async with asyncio.timeout(pause.alert_s):
                await self._hinted.wait()
        except TimeoutError:
            return

    async def _act(self, reading: Reading, began_s: float, now_s: float, hinted: bool, is_closed: bool) -> None:
        self._metrics.reads.inc()
        touched, self._looked_at = reading.fingerprint != self._looked_at, reading.fingerprint
        if touched:
            self._metrics.detected.inc()
            self._was_hinted = hinted
        content, offer = self._judge(reading)
        decision = self._settle.decide(content, reading.fingerprint, began_s, now_s, is_closed)
        self._time_settling(decision, began_s, now_s)
        if decision is Decision.WAIT:
            return
        if isinstance(content, Report):
            self._accept(reading, offer)
        elif decision is Decision.REJECT:
            await self._reject(content, reading)

    def _judge(self, reading: Reading) -> tuple[Report | ReportError, Offer | None]:
        """Let a new report through the gate; one that is published already has been."""
        report = reading.content
        if not isinstance(report, Report) or report.digest == self._settle.published:
            return report, None
        dated = Dated(report, reading.modified_ns)
        last = self._last if self._last and self._last.report.digest != report.digest else None
        try:
            findings = judge(dated, last, self._now(), self._settings.report_hold)
        except ReportHeld as held:
            return held.with_traceback(None), None
        changes = report.changes_since(last.report) if last else None
        return report, Offer(report, moment_of(reading.modified_ns), findings, self._source is not None, changes)

    def _time_settling(self, decision: Decision, began_s: float, now_s: float) -> None:
        if decision is Decision.WAIT:
            self._doubted_s = began_s if self._doubted_s is None else self._doubted_s
            return
        if decision is not Decision.STILL_REJECTED and self._doubted_s is not None:
            self._metrics.settle.observe(now_s - self._doubted_s)
        self._doubted_s = None

    def _accept(self, reading: Reading, offer: Offer | None) -> None:
        assert isinstance(reading.content, Report)
        written, self._accepted = reading.fingerprint != self._accepted, reading.fingerprint
        if written:
            self._cadence.beat(asyncio.get_running_loop().time() - self._age_s(reading, self._source is None))
        if offer is not None:
            self._publisher.offer(offer)
            if not self._was_hinted and offer.was_watched:
                self._metrics.sweep_finds.inc()
        elif written:
            self._metrics.unchanged.inc()
        self._last = Dated(reading.content, reading.modified_ns)
        # That the old report is still there is no reason not to be overdue.
        if written or self._source is None or self._source.state is not SourceState.OVERDUE:
            self._set_source(SourceState.LIVE)

    def _age_s(self, reading: Reading, is_first: bool) -> float:
        """How long ago the file was written, if it was not seen to be: by its time, which may be wrong."""
        return max(0.0, (self._now() - moment_of(reading.modified_ns)).total_seconds()) if is_first else 0.0

    async def _reject(self, error: ReportError, reading: Reading) -> None:
        self._metrics.rejected(error.reason).inc()
        if isinstance(error, ReportMissing) and self._settle.published is None:
            self._log.warning("waiting for report", reason=str(error))
            self._set_source(SourceState.WAITING, str(error))
            return
        self._log.warning("report rejected", reason=str(error), kind=error.reason)
        self._set_source(SourceState.REJECTED, str(error))
        if reading.raw:
            last = self._last.report.body if self._last else None
            rejection = await in_daemon_thread(lambda: self._rejection(error, reading, last))
            self._publisher.reject(rejection, reading.raw)

    def _rejection(self, error: ReportError, reading: Reading, last: bytes | None) -> Rejection:
        place = error.place
        return Rejection(
            rejected_at=self._now(),
            file=ascii(reading.file)[1:-1],
            reason=error.reason,
            message=str(error),
            line=place.line if place else None,
            column=place.column if place else None,
            size=len(reading.raw),
            digest=reading.digest,
            diff=readable_diff(last, reading.raw),
        )

    def _set_source(self, state: SourceState, reason: str | None = None) -> None:
        known = self._source
        if known and (known.state, known.reason) == (state, reason):
            return
        in_trouble = known is not None and known.state is not SourceState.LIVE
        if in_trouble and state is SourceState.LIVE:
            self._log.info("report good again")
        if state is SourceState.OVERDUE:
            self._log.warning("report overdue", reason=reason)
        # "Since" is when the trouble began, not when its reason last changed.
        goes_on = known is not None and in_trouble and state is not SourceState.LIVE
        self._source = Source(state, known.since if known and goes_on else iso_utc(self._now()), reason)
        self._metrics.invalid.set(state in (SourceState.WAITING, SourceState.REJECTED))

    def _tell_source(self) -> None:
        """Tell how the file fares, and whether the producer is late."""
        if self._source is None:
            return
        now_s = asyncio.get_running_loop().time()
        if self._source.state is SourceState.LIVE and self._cadence.is_overdue(now_s):
            self._set_source(SourceState.OVERDUE, "no report came when it was due")
        due_s, is_overdue = self._cadence.due_s, self._source.state is SourceState.OVERDUE
        late_by_s = now_s - due_s if is_overdue and due_s is not None else None
        self._metrics.overdue.set(late_by_s or 0)
        self._publisher.set_source(
            replace(
                self._source,
                expected_every_s=self._cadence.expected_every_s,
                due_at=self._now() + datetime.timedelta(seconds=due_s - now_s) if due_s is not None else None,
                late_by_s=late_by_s,
            )
        )
