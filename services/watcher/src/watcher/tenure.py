"""
Which channels this watcher leads: it takes the leases, renews them, and gives them up at the end.

Several watchers may see one file; the one that leads publishes, the others stand by. That a tenure is over is known for
certain to the broker alone, which refuses what comes from an old one (docs/adr/0006-lease-in-the-broker.md).
"""

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import Mapping

import structlog
from reportcast.broker.backoff import Outage
from reportcast.broker.base import LEASE_S, RENEW_S, Broker, Lease
from reportcast.broker.errors import BrokerError
from reportcast.telemetry.health import Health

from watcher.metrics import WatcherMetrics
from watcher.publisher import Publisher

# At the end, the broker gets so long to take the leases back; otherwise they run out.
RELEASE_S = 1.0


class Tenure:
    """
    The leases of one process.

    Args:
        broker: Where they are.
        publishers: Those who are told, by channel.
        metrics: To count in.
        health: Its condition ``broker`` follows the broker.
    """

    def __init__(
        self, broker: Broker, publishers: Mapping[str, Publisher], metrics: WatcherMetrics, health: Health
    ) -> None:
        self._broker = broker
        self._publishers = publishers
        self._metrics = metrics
        self._health = health
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._log = structlog.get_logger("tenure").bind(holder=self._holder)
        health.fail("broker", "not reached yet")

    async def run(self) -> None:
        """Lead what nobody else leads, for ever."""
        clock = asyncio.get_running_loop().time
        outage = Outage(self._log, clock, self._metrics.broker_retries.inc)
        renewed_s = clock()
        try:
            while True:
                try:
                    await self._renew()
                except BrokerError as exc:
                    self._health.fail("broker", str(exc))
                    if clock() - renewed_s >= LEASE_S:
                        self._lapse()
                    await outage.wait(exc)
                else:
                    outage.end()
                    self._health.fulfil("broker")
                    renewed_s = clock()
                    await asyncio.sleep(RENEW_S)
        finally:
            await self._release()

    async def _renew(self) -> None:
        leases = await self._broker.lease(list(self._publishers), self._holder)
        for publisher, lease in zip(self._publishers.values(), leases, strict=True):
            if isinstance(lease, Lease):
                publisher.hold(lease)
            else:
                publisher.refuse(lease)
        due = {name: beat for name, publisher in self._publishers.items() if (beat := publisher.heartbeat())}
        if due:
            await self._broker.set_sources(due)

    def _lapse(self) -> None:
        for publisher in self._publishers.values():
            publisher.lapse()

    async def _release(self) -> None:
        with contextlib.suppress(BrokerError, TimeoutError):
            async with asyncio.timeout(RELEASE_S):
                await self._broker.release(list(self._publishers), self._holder)
