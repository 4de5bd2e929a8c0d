"""The watcher: looks at the file when something hints at a change, and hands on what the reading means."""

import asyncio
import datetime
import math
from collections.abc import Callable

import structlog
from reportcast.broker.backoff import full_jitter
from reportcast.broker.base import Broker
from reportcast.broker.errors import BrokerError
from reportcast.contracts.clock import iso_utc, moment_of
from reportcast.contracts.errors import ReportError, ReportMissing
from reportcast.contracts.messages import Source, SourceState
from reportcast.contracts.report import Report
from reportcast.telemetry.health import Health

from watcher.metrics import WatcherMetrics
from watcher.publisher import Publisher
from watcher.reader import Fingerprint, Reader, Reading
from watcher.settings import SourceSettings
from watcher.settle import Decision, Settle
from watcher.source import hints

# After an unfinished reading, look again so soon even without a hint: a writer's last event can be lost.
RELOOK_S = 0.1
# After an unfinished reading, hints are let pass for so long, or twice what the reading took, so that a writer of many
# small pieces is not read once for each of them. It bounds what a slow writer's last piece waits.
BREATH_S = 0.01


class Watcher:
    """
    Watches one report file for one channel.

    Args:
        settings: Which file, and how.
        broker: Where to publish.
        channel: The report's name there.
        metrics: To count in.
        health: To be ready in.
        now: Aware UTC time.
    """

    def __init__(
        self,
        settings: SourceSettings,
        broker: Broker,
        channel: str,
        metrics: WatcherMetrics,
        health: Health,
        now: Callable[[], datetime.datetime],
    ) -> None:
        self._settings = settings
        self._broker = broker
        self._channel = channel
        self._metrics = metrics
        self._now = now
        self._publisher = Publisher(broker, channel, metrics, health, now)
        self._reader = Reader(settings.report_file, settings.report_max_bytes)
        self._settle = Settle(settings.report_settle_s)
        self._log = structlog.get_logger("watcher").bind(channel=channel, path=ascii(str(settings.report_file))[1:-1])
        self._hint = asyncio.Event()
        self._refresh_requested = False
        self._looked_at: Fingerprint | None = None
        self._source: Source | None = None

    async def run(self) -> None:
        """Watch, for ever."""
        self._log.info("watching", sweep_s=self._settings.report_sweep_s)
        if self._settings.history_dir:
            self._log.warning("HISTORY_DIR is not written yet; history is kept in the broker alone")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publisher.run())
            tasks.create_task(self._follow_hints())
            tasks.create_task(self._follow_requests())
            tasks.create_task(self._look_for_ever())

    async def _follow_hints(self) -> None:
        def on_error(reason: str) -> None:
            self._metrics.watch_errors.inc()

        async for _ in hints(self._settings.report_file, self._settings.report_sweep_s, on_error):
            self._metrics.hints.inc()
            self._hint.set()

    async def _follow_requests(self) -> None:
        attempt = 0
        while True:
            try:
                async with self._broker.refresh_requests([self._channel]) as requests:
                    attempt = 0
                    async for _ in requests:
                        self._refresh_requested = True
                        self._hint.set()
            except BrokerError:  # the publisher tells of it
                self._metrics.broker_retries.inc()
                await asyncio.sleep(full_jitter(attempt))
                attempt += 1

    async def _look_for_ever(self) -> None:
        clock = asyncio.get_running_loop().time
        swept_s, took_s, decision = -math.inf, 0.0, Decision.WAIT
        while True:
            self._hint.clear()
            refresh, self._refresh_requested = self._refresh_requested, False
            began_s = clock()
            force = refresh or decision is Decision.WAIT or began_s - swept_s >= self._settings.report_sweep_s
            # In a thread: a file system that hangs must not hang the event loop.
            reading = await asyncio.to_thread(self._reader.read_if_touched, None if force else self._looked_at)
            if reading is not None:
                swept_s = clock()
                took_s = swept_s - began_s
                decision = self._act(reading, swept_s)
                if refresh:
                    self._publisher.announce_refreshed()
            await self._wait(decision, took_s)

    async def _wait(self, decision: Decision, took_s: float) -> None:
        unsure = decision is Decision.WAIT
        if unsure:
            await asyncio.sleep(max(BREATH_S, 2 * took_s))
        try:
            async with asyncio.timeout(RELOOK_S if unsure else self._settings.report_sweep_s):
                await self._hint.wait()
        except TimeoutError:
            return

    def _act(self, reading: Reading, now_s: float) -> Decision:
        self._metrics.reads.inc()
        was_watched = self._source is not None
        touched, self._looked_at = reading.fingerprint != self._looked_at, reading.fingerprint
        content = reading.content
        decision = self._settle.decide(content, reading.fingerprint, now_s)
        if isinstance(content, Report):
            if decision is Decision.PUBLISH:
                self._publisher.publish(content, moment_of(reading.modified_ns), was_watched)
            elif touched:
                self._metrics.unchanged.inc()
            self._set_source(SourceState.LIVE)
        elif decision is Decision.REJECT:
            self._reject(content)
        return decision

    def _reject(self, error: ReportError) -> None:
        self._metrics.rejected.labels(error.reason).inc()
        if isinstance(error, ReportMissing) and not self._settle.has_published:
            self._log.warning("waiting for report", reason=str(error))
            self._set_source(SourceState.WAITING, str(error))
            return
        self._log.warning("report rejected", reason=str(error), kind=error.reason)
        self._set_source(SourceState.REJECTED, str(error))

    def _set_source(self, state: SourceState, reason: str | None = None) -> None:
        known = self._source
        if known and (known.state, known.reason) == (state, reason):
            return
        in_trouble = known is not None and known.state is not SourceState.LIVE
        if in_trouble and state is SourceState.LIVE:
            self._log.info("report good again")
        # "Since" is when the trouble began, not when its reason last changed.
        goes_on = known is not None and in_trouble and state is not SourceState.LIVE
        self._source = Source(state, known.since if known and goes_on else iso_utc(self._now()), reason)
        self._metrics.invalid.set(state is not SourceState.LIVE)
        self._publisher.set_source(self._source)
