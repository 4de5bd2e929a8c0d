"""``reportcast up``: the embedded default."""

import asyncio
import sys
from typing import ClassVar

from gateway.feed import make_feeds
from gateway.metrics import GatewayMetrics
from gateway.server import serve_feeds
from gateway.settings import ServerSettings
from pydantic import Field
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.clock import utc_now
from reportcast.service.http import address_of, listen
from reportcast.telemetry.health import Health
from reportcast.telemetry.metrics import new_registry
from watcher.app import Watcher
from watcher.metrics import WatcherMetrics
from watcher.settings import SourceSettings


class StandaloneSettings(SourceSettings, ServerSettings):
    """All that the standalone server can be told."""

    prefixes: ClassVar[tuple[str, ...]] = ("REPORT_", "HISTORY_", "GATEWAY_")

    # There is no other replica to spread the clients over, and somebody who waits for the end.
    gateway_drain_s: float = Field(
        0.0, ge=0, le=3600, description="at the end, connections are closed spread over so long, seconds"
    )


async def serve(settings: StandaloneSettings, stop: asyncio.Event) -> None:
    """Run watcher and gateway until ``stop`` is set."""
    listener = listen(settings.gateway_host, settings.gateway_port)
    registry, health = new_registry(), Health()
    broker = MemoryBroker(asyncio.get_running_loop().time)
    watcher = Watcher(settings, broker, WatcherMetrics(registry), health, utc_now)
    feeds = make_feeds(settings, broker, tuple(settings.channels), GatewayMetrics(registry), health, utc_now)
    watched = ", ".join(map(str, settings.channels.values()))
    shown = f"showing {watched}; open {address_of(listener)} (Ctrl-C ends it)"
    print(shown, file=sys.stderr)  # noqa: T201 - what a person waits for
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(watcher.run())
        await serve_feeds(feeds, registry, listener, stop)
        watching.cancel()
