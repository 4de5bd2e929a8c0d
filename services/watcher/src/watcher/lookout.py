"""One report's lookout: looks at the file when something hints at a change, and hands on what the reading means."""

import asyncio
import dataclasses
import datetime
import glob
from collections.abc import Callable
from pathlib import Path

import structlog
from reportcast.broker.backoff import full_jitter
from reportcast.broker.base import ChannelState
from reportcast.contracts.clock import moment_of, utc_ns
from reportcast.contracts.errors import ReportError, ReportHeld, ReportMissing
from reportcast.contracts.messages import SourceState
from reportcast.contracts.report import Report, ReportKind, parse_report

from watcher.cadence import REMEMBERED
from watcher.gate import Dated, judge
from watcher.inotify import Hint
from watcher.metrics import ChannelMetrics
from watcher.offer import Offer
from watcher.publisher import Publisher
from watcher.reader import Fingerprint, Reader, Reading
from watcher.rejection import describe
from watcher.settings import SourceSettings
from watcher.settle import Decision, Settle, State
from watcher.situation import Situation
from watcher.stamps import Stamps
from watcher.threads import in_daemon_thread
from watcher.watch import Watch, WatchMode
from watcher.writer import Writer

# How often the way to the file is resolved anew without an event. It costs 0.4 ms; what it finds (a file system mounted
# over a directory, an inotify limit that was raised) is rare, and the sweep finds its changes meanwhile. All channels
# do it together, one after the other in one thread: spread out, it costs twice as much in wake-ups.
REARM_S = 30.0


# A reading that takes longer is told of: the file is on a file system that hangs.
HUNG_S = 10.0
# A broker that did not say what is published is asked again within 0.4 s.
RECALL_ATTEMPT = 2
# The event loop's clock and its timers are not the same to the last µs.
JUST_AFTER_S = 0.002


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
        self._situation = Situation(settings.expected_every_s(channel), self._log)
        self._followed = watch.follow(path, self._hint, self._on_mode)
        self._hinted = asyncio.Event()
        self._writer = Writer(is_one_file=not glob.has_magic(path.name))
        self._refresh_requested = False
        self._is_new_tenure = True
        self._stamps = Stamps()
        self._looked_at: Fingerprint | None = None
        self._accepted: tuple[int, ...] | None = None
        self._was_hinted = False
        self._is_watched = False
        self._is_hung = False
        self._last: Dated | None = None
        self._doubted_s: float | None = None
        publisher.on_tenure(self._begin)

    def refresh(self) -> None:
        """Read the file again although nothing hints at a change, and have the gateways told."""
        self._refresh_requested = True
        self._hinted.set()

    async def run(self) -> None:
        """Look, for ever."""
        await self._publisher.learn_role()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._rearm_for_ever())
            while True:
                hinted = self._hinted.is_set()
                self._hinted.clear()
                while self._is_new_tenure:
                    await self._recall()
                await self._look(hinted)
                await self._rest()

    def _begin(self) -> None:
        self._is_new_tenure = True
        self._hinted.set()
        if self._is_hung:  # all that can be decided of the file until it answers
            self._publisher.looked(self._publisher.fence)

    def _hint(self, hint: Hint) -> None:
        self._metrics.hints.inc()
        self._writer.note(hint, asyncio.get_running_loop().time())
        self._hinted.set()

    def _on_mode(self, mode: WatchMode) -> None:
        self._metrics.set_watch_mode(mode.kind, mode.why)

    async def _recall(self) -> None:
        """
        Know what is published, to compare with: the report, its time and its cadence.

        What was decided before a tenure is decided anew: this watcher's word counts from now on.
        """
        self._is_new_tenure = self._is_watched = False
        self._settle.reconsider()
        state = await self._publisher.recall()
        if state is None:
            if self._publisher.fence is not None:  # to be compared with; without it nothing can be published anyway
                self._is_new_tenure = True
                await asyncio.sleep(full_jitter(RECALL_ATTEMPT))
            return
        if not self._situation.is_known:
            await self._recall_cadence(state)
        elif state.source:
            self._situation.cadence.recall_interval(state.source.expected_every_s)
        snapshot = state.snapshot
        if snapshot is None:
            return
        try:
            report = await in_daemon_thread(lambda: parse_report(snapshot.body, self._kind))
        except ReportError:  # what an earlier version found good
            return
        self._last = Dated(report, utc_ns(snapshot.modified_at))

    async def _recall_cadence(self, state: ChannelState) -> None:
        """Go on with the cadence that was told last, or that of the reports on disk."""
        now, now_s = self._now(), asyncio.get_running_loop().time()
        cadence = self._situation.cadence
        if state.snapshot and state.source and state.source.expected_every_s:
            # A file whose times were preserved may be older than its publication.
            came_at = max(state.snapshot.modified_at, state.snapshot.published_at)
            cadence.recall(state.source.expected_every_s, now_s - max(0.0, (now - came_at).total_seconds()))
        else:
            for moment in await self._publisher.moments(REMEMBERED + 1):
                cadence.beat(now_s - (now - moment).total_seconds())

    async def _rearm_for_ever(self) -> None:
        while True:
            await self._followed.rearm()
            await asyncio.sleep(REARM_S)

    async def _look(self, hinted: bool) -> None:
        clock, began = asyncio.get_running_loop().time, self._now()
        refresh, self._refresh_requested = self._refresh_requested, False
        fence, began_s, end = self._publisher.fence, clock(), self._writer.last
        # An event is reason enough to read: a file system's clock is too coarse to tell two quick writes apart.
        by_event = hinted and self._followed.mode.kind == "inotify"
        must_read = refresh or by_event or self._publisher.awaits_look or self._settle.must_read(began_s)
        reading = await self._read(None if must_read else self._looked_at)
        if reading is not None:
            self._stamps.read(reading, began, self._now())
            is_complete = self._writer.has_finished(end, self._is_other(reading))
            decision = await self._act(reading, began_s, clock(), hinted, is_complete, fence)
            if decision is not Decision.WAIT:
                if is_complete:
                    self._writer.rest()
                self._is_watched = True
                self._publisher.looked(fence)
            if not self._hinted.is_set():  # else it is of the next look
                self._writer.last = Hint.LOOK
        self._tell()
        if refresh:
            self._publisher.announce_refreshed()

    def _is_other(self, reading: Reading) -> bool:
        """Tell whether the file is not the last good one written over: another, of another size, or cut off before."""
        before, now = self._accepted, reading.fingerprint
        return before is None or now is None or before[:3] != now[:3] or self._settle.state is State.TORN

    async def _read(self, known: Fingerprint | None) -> Reading | None:
        hung = asyncio.get_running_loop().call_later(HUNG_S, self._tell_hung)
        try:
            # In a thread: a file system that hangs must not hang the event loop.
            return await in_daemon_thread(lambda: self._reader.read_if_touched(known))
        finally:
            hung.cancel()
            self._is_hung = False

    def _tell_hung(self) -> None:
        self._is_hung = True
        self._looked_at = None  # once it answers, read whatever it says
        self._settle.forget_rejection()
        self._publisher.looked(self._publisher.fence)
        self._refuse(SourceState.REJECTED, f"the file system has not answered for {HUNG_S:g} s")
        self._tell()

    async def _rest(self) -> None:
        now_s = asyncio.get_running_loop().time()
        pause = self._settle.pause(now_s)
        if pause.deaf_s:
            await asyncio.sleep(pause.deaf_s)
        overdue_in_s = self._situation.cadence.overdue_s - now_s
        alert_s = min(pause.alert_s, overdue_in_s + JUST_AFTER_S) if overdue_in_s > 0 else pause.alert_s
        try:
            async with asyncio.timeout(alert_s):
                await self._hinted.wait()
        except TimeoutError:
            return

    async def _act(
        self, reading: Reading, began_s: float, now_s: float, hinted: bool, is_complete: bool, fence: int | None
    ) -> Decision:
        self._metrics.reads.inc()
        touched, self._looked_at = reading.fingerprint != self._looked_at, reading.fingerprint
        if touched:
            self._metrics.detected.inc()
            self._was_hinted = hinted
        content, offer = self._judge(reading)
        decision = self._settle.decide(content, reading.fingerprint, began_s, now_s, is_complete)
        self._time_settling(decision, began_s, now_s)
        if decision is Decision.WAIT:
            return decision
        if isinstance(content, Report):
            self._accept(reading, offer, fence)
        elif decision is Decision.REJECT:
            await self._reject(content, reading)
        return decision

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
        return report, Offer(report, moment_of(reading.modified_ns), findings, self._is_watched, changes)

    def _time_settling(self, decision: Decision, began_s: float, now_s: float) -> None:
        if decision is Decision.WAIT:
            self._doubted_s = began_s if self._doubted_s is None else self._doubted_s
            return
        if decision is not Decision.STILL_REJECTED and self._doubted_s is not None:
            self._metrics.settle.observe(now_s - self._doubted_s)
        self._doubted_s = None

    def _accept(self, reading: Reading, offer: Offer | None, fence: int | None) -> None:
        assert isinstance(reading.content, Report)
        # By identity, size and time: a new permission or link is not the producer's work.
        traces = reading.fingerprint and reading.fingerprint[:4]
        is_written, self._accepted = traces != self._accepted, traces
        if offer is not None:
            self._publisher.offer(dataclasses.replace(offer, seen=self._stamps.settled(self._now())), fence)
            if not self._was_hinted and offer.was_watched:
                self._metrics.sweep_finds.inc()
        elif is_written:
            self._metrics.unchanged.inc()
        self._last = Dated(reading.content, reading.modified_ns)
        self._situation.accept(is_written, self._written_s(reading), self._now())
        self._metrics.invalid.set(0)

    def _written_s(self, reading: Reading) -> float:
        """When the file was written: now, or if it was not seen to be, by its own time, which may be wrong."""
        now_s = asyncio.get_running_loop().time()
        if self._situation.is_known:
            return now_s
        return now_s - max(0.0, (self._now() - moment_of(reading.modified_ns)).total_seconds())

    async def _reject(self, error: ReportError, reading: Reading) -> None:
        self._metrics.rejected(error.reason).inc()
        if isinstance(error, ReportMissing) and self._last is None:
            self._log.warning("waiting for report", reason=str(error))
            self._refuse(SourceState.WAITING, str(error))
            return
        self._log.warning("report rejected", reason=str(error), kind=error.reason)
        self._refuse(SourceState.REJECTED, str(error))
        if reading.raw:
            last = self._last.report.body if self._last else None
            rejection = await in_daemon_thread(lambda: describe(error, reading, last, self._now()))
            self._publisher.reject(rejection, reading.raw)

    def _refuse(self, state: SourceState, reason: str) -> None:
        self._situation.change(state, self._now(), reason)
        self._metrics.invalid.set(1)

    def _tell(self) -> None:
        source = self._situation.tell(asyncio.get_running_loop().time(), self._now())
        if source is not None:
            self._metrics.overdue.set(source.late_by_s or 0)
            self._publisher.set_source(source)
