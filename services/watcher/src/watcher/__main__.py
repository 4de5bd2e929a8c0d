"""The command ``reportcast-watcher``."""

import asyncio
import sys
import time

from prometheus_client import CollectorRegistry
from reportcast.broker.foreign import ForeignMessages
from reportcast.broker.redis import RedisBroker
from reportcast.contracts.clock import utc_now
from reportcast.service.http import exposition_of, listen, operational_routes, serve_http
from reportcast.service.process import in_event_loop, run_command
from reportcast.telemetry.health import Health
from reportcast.telemetry.metrics import new_registry
from starlette.applications import Starlette

from watcher.app import Watcher
from watcher.metrics import WatcherMetrics
from watcher.settings import WatcherSettings


async def serve(settings: WatcherSettings, stop: asyncio.Event) -> None:
    """Run the watcher and its endpoints until ``stop`` is set."""
    listener = listen(settings.watcher_host, settings.watcher_port)
    registry: CollectorRegistry = new_registry()
    metrics = WatcherMetrics(registry)
    health = Health()
    broker = RedisBroker(settings.redis_url, on_bad_message=ForeignMessages(metrics.bad_messages.inc, time.monotonic))
    watcher = Watcher(settings, broker, metrics, health, utc_now)
    endpoints = Starlette(routes=operational_routes(health, exposition_of(registry)))
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(watcher.run())
        await serve_http(endpoints, listener, stop, registry=registry, lifespan="off", ws="none")
        watching.cancel()
    await broker.close()


def main() -> None:
    """Run the command."""
    description = "Publish a report file's changes to Redis."
    sys.exit(run_command("reportcast-watcher", description, WatcherSettings, in_event_loop(serve)))


if __name__ == "__main__":
    main()
