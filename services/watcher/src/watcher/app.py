"""The watcher: one lookout and one publisher for each channel, and what they share."""

import asyncio
import datetime
import functools
from collections.abc import Callable, Coroutine
from typing import Any

from reportcast.broker.backoff import full_jitter
from reportcast.broker.base import Broker
from reportcast.broker.clock import BrokerClock
from reportcast.broker.errors import BrokerError
from reportcast.contracts.channels import CANARY
from reportcast.contracts.report import kind_of
from reportcast.telemetry.health import Health
from reportcast.telemetry.lag import observe_lag

from watcher.archive import Archive
from watcher.canary import Canary, call_off
from watcher.lookout import Lookout
from watcher.metrics import ChannelMetrics, WatcherMetrics
from watcher.publisher import Publisher
from watcher.settings import SourceSettings
from watcher.tenure import Tenure
from watcher.watch import Watch


class Watcher:
    """
    Watches the reports of all channels.

    Channels are independent: each has its own tasks, and one whose file system hangs holds up no other.

    Args:
        settings: Which files, and how.
        broker: Where to publish.
        metrics: To count in.
        health: To be ready in.
        now: Aware UTC time.
    """

    def __init__(
        self,
        settings: SourceSettings,
        broker: Broker,
        metrics: WatcherMetrics,
        health: Health,
        now: Callable[[], datetime.datetime],
    ) -> None:
        self._broker = broker
        self._metrics = metrics
        self._watch = Watch(settings.report_poll_s)
        self._clock = BrokerClock(broker, now, metrics.clock.tell)
        self._archives: list[Archive] = []
        self._publishers: dict[str, Publisher] = {}
        self._lookouts: dict[str, Lookout] = {}
        for channel in settings.channels:
            self._lookouts[channel] = self._lookout(channel, settings, health, now)
        self._canary = self._canary_of(settings, now)
        self._tenure = Tenure(broker, self._publishers, metrics, health)

    async def run(self) -> None:
        """Watch, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch.run())
            tasks.create_task(self._tenure.run())
            tasks.create_task(self._clock.run())
            tasks.create_task(self._follow_requests())
            tasks.create_task(observe_lag(self._metrics.loop_lag.observe))
            for archive in self._archives:
                tasks.create_task(archive.run())
            for publisher in self._publishers.values():
                tasks.create_task(publisher.run())
            for lookout in self._lookouts.values():
                tasks.create_task(lookout.run())
            tasks.create_task(self._canary())

    def _lookout(
        self, channel: str, settings: SourceSettings, health: Health, now: Callable[[], datetime.datetime]
    ) -> Lookout:
        kind, metrics = kind_of(channel), ChannelMetrics(self._metrics, channel)
        directory = settings.history_of(channel)
        archive = Archive(directory, kind, settings, metrics, now) if directory else None
        if archive:
            self._archives.append(archive)
        publisher = Publisher(self._broker, channel, archive, metrics, health, now, lambda: self._clock.skew)
        self._publishers[channel] = publisher
        path = settings.channels[channel]
        return Lookout(channel, path, kind, settings, publisher, self._watch, metrics, now)

    def _canary_of(
        self, settings: SourceSettings, now: Callable[[], datetime.datetime]
    ) -> Callable[[], Coroutine[Any, Any, None]]:
        """Give what runs beside the reports: the canary, or the word that there is none."""
        if not settings.report_canary_s:
            return functools.partial(call_off, self._broker, now)
        canary = Canary(settings, now)
        # What becomes of it is for the gateways to tell: it does not make a watcher unready that publishes reports.
        lookout = self._lookout(CANARY, canary.settings_of(settings), Health(), now)
        return functools.partial(canary.run, lookout.run)

    async def _follow_requests(self) -> None:
        attempt = 0
        while True:
            try:
                async with self._broker.refresh_requests(list(self._lookouts)) as requests:
                    attempt = 0
                    async for channel in requests:
                        self._lookouts[channel].refresh()
            except BrokerError:  # the tenure tells of it
                self._metrics.broker_retries.inc()
                await asyncio.sleep(full_jitter(attempt))
                attempt += 1
