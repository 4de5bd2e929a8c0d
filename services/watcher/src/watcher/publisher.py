"""
Making the broker hold what the watcher knows: the newest good report, and how the source fares.

Level-triggered: the publisher keeps what is wanted, compares it with what the broker has confirmed, and closes the
gap. So a broker that was away, or comes back empty, needs no case of its own, and memory holds one report.
"""

import asyncio
import datetime
import math
from collections.abc import Callable

import structlog
from msgspec.structs import replace
from reportcast.broker.backoff import Outage
from reportcast.broker.base import Broker
from reportcast.broker.errors import BrokerError
from reportcast.contracts.messages import Publication, Source
from reportcast.contracts.position import Position
from reportcast.contracts.report import Report
from reportcast.telemetry.health import Health

from watcher.metrics import WatcherMetrics

# How often the broker is asked whether it still holds what it confirmed, and told that there is a watcher.
VERIFY_S = 5.0


class Publisher:
    """
    The watcher's one writer to the broker.

    Args:
        broker: Where to.
        channel: Whose report it is.
        metrics: The watcher's.
        health: Its condition ``broker`` follows the broker.
        now: Aware UTC time.
    """

    def __init__(
        self,
        broker: Broker,
        channel: str,
        metrics: WatcherMetrics,
        health: Health,
        now: Callable[[], datetime.datetime],
    ) -> None:
        self._broker = broker
        self._channel = channel
        self._metrics = metrics
        self._health = health
        self._now = now
        self._log = structlog.get_logger("publisher").bind(channel=channel)
        self._wanted = asyncio.Event()
        self._report: tuple[Report, datetime.datetime] | None = None
        self._was_watched = False
        self._source: Source | None = None
        self._announce = False
        self._confirmed_report: Report | None = None
        self._confirmed_source: Source | None = None
        self._position: Position | None = None
        health.fail("broker", "not reached yet")

    def publish(self, report: Report, modified: datetime.datetime, was_watched: bool) -> None:
        """
        Make ``report`` the one to be held.

        Args:
            report: The newest good one.
            modified: The file's time.
            was_watched: Whether the change was seen to happen, so that the time since then is our latency.
        """
        self._report = (report, modified)
        self._was_watched = was_watched
        self._wanted.set()

    def set_source(self, source: Source) -> None:
        """Make ``source`` the state to be held."""
        self._source = source
        self._wanted.set()

    def announce_refreshed(self) -> None:
        """
        Tell the gateways, after all that is wanted by now, to send the report to every client again.

        What is wanted is published once more, in case another watcher published something else meanwhile.
        """
        self._confirmed_report = None
        self._announce = True
        self._wanted.set()

    async def run(self) -> None:
        """Keep the broker in step, for ever."""
        loop = asyncio.get_running_loop()
        outage = Outage(self._log, loop.time, self._metrics.broker_retries.inc)
        verify_at_s = -math.inf
        while True:
            try:
                if loop.time() >= verify_at_s:
                    await self._verify()
                    verify_at_s = loop.time() + VERIFY_S
                await self._reconcile()
                outage.end()
                self._health.fulfil("broker")
                await self._wait(verify_at_s - loop.time())
            except BrokerError as exc:
                self._health.fail("broker", str(exc))
                await outage.wait(exc)
                # With nothing to publish, this alone tells whether the broker is back, and what it still has.
                verify_at_s = -math.inf

    async def _wait(self, at_most_s: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, at_most_s)):
                await self._wanted.wait()
        except TimeoutError:
            return

    async def _verify(self) -> None:
        stored, known = await self._broker.position(self._channel), self._position
        lost = known and (stored is None or stored.epoch != known.epoch or stored.offset < known.offset)
        if lost:
            self._confirmed_report = None
        else:
            # Perhaps further than ours: another watcher published. It is not contradicted, or two that see different
            # copies of the file would do so for ever.
            self._position = stored
        self._confirmed_source = None  # told again, as a sign of life

    async def _reconcile(self) -> None:
        self._wanted.clear()
        changed = False
        if self._report and self._report[0] is not self._confirmed_report:
            changed = await self._publish(*self._report)
        if self._source and self._source is not self._confirmed_source:
            source = self._source
            await self._broker.set_source(self._channel, replace(source, heard_at=self._now()))
            self._confirmed_source = source
        if self._announce:
            self._announce = False  # before the wait: a request meanwhile is another one
            if not changed:
                await self._announce_refreshed()

    async def _announce_refreshed(self) -> None:
        try:
            await self._broker.announce_refreshed(self._channel)
        except BrokerError:
            self._announce = True
            raise

    async def _publish(self, report: Report, modified: datetime.datetime) -> bool:
        # Of this report: another may be wanted by the time the broker has answered.
        began, was_watched = self._now(), self._was_watched
        publication = Publication(
            stem=report.stem or began.strftime("%Y-%m-%dT%H:%M:%SZ"),
            digest=report.digest,
            published_at=began,
            modified_at=modified,
            body=report.body,
        )
        stored = await self._broker.publish(self._channel, publication)
        self._confirmed_report = report
        self._position = stored.position
        if self._report and self._report[0] is report:
            self._was_watched = False  # published once more, after the broker lost it, the age is no latency
        if not stored.changed:
            self._metrics.unchanged.inc()
            return False
        latency_s = max(0.0, (self._now() - modified).total_seconds()) if was_watched else None
        self._count(report, stored.position, latency_s)
        return True

    def _count(self, report: Report, position: Position, latency_s: float | None) -> None:
        self._metrics.published.inc()
        log = self._log
        if latency_s is not None:
            self._metrics.publish_latency.observe(latency_s)
            log = log.bind(latency_s=round(latency_s, 4))
        log.info("report published", offset=position.offset, repos=len(report.repos), bytes=len(report.body))
