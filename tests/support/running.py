"""Watcher and gateway in this process, as their entry points run them: real files, real uvicorn, a free port."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import websockets.asyncio.client
from gateway.feed import Feed, make_feed
from gateway.metrics import GatewayMetrics
from gateway.server import serve_feed
from gateway.settings import ServerSettings
from prometheus_client import CollectorRegistry
from reportcast.broker.base import Broker
from reportcast.contracts.clock import utc_now
from reportcast.contracts.messages import Source, SourceState
from reportcast.service.http import address_of, listen
from reportcast.telemetry.health import Health
from reportcast.telemetry.metrics import new_registry
from watcher.app import Watcher
from watcher.metrics import WatcherMetrics
from watcher.settings import SourceSettings

from tests.support.wait import await_until

CHANNEL = "audit"
ADMIN_TOKEN = "sesame-sesame"
SINCE = "2026-11-23T12:00:00.000Z"


def live() -> Source:
    """Give the word of a watcher that is there and finds all well."""
    return Source(SourceState.LIVE, SINCE, heard_at=utc_now())


@dataclasses.dataclass(frozen=True)
class RunningGateway:
    """A gateway that serves; ``address`` ends with a slash."""

    address: str
    feed: Feed
    http: httpx.AsyncClient

    def connect(self, **options: Any) -> websockets.asyncio.client.connect:
        """Connect a WebSocket client to ``/ws``."""
        return websockets.asyncio.client.connect(self.address.replace("http", "ws", 1) + "ws", **options)

    async def status(self) -> dict[str, Any]:
        """Ask ``/api/ws/status``."""
        answer: dict[str, Any] = (await self.http.get("api/ws/status")).json()
        return answer

    async def metric(self, name: str, **labels: str) -> float:
        """Read one sample of ``/metrics``."""
        wanted = name + ("{" + ",".join(f'{k}="{v}"' for k, v in labels.items()) + "}" if labels else "") + " "
        lines = (await self.http.get("metrics")).text.splitlines()
        return next(float(line.removeprefix(wanted)) for line in lines if line.startswith(wanted))


@contextlib.asynccontextmanager
async def running_gateway(broker: Broker, **settings: Any) -> AsyncIterator[RunningGateway]:
    """Run a gateway until the end of the block."""
    registry, stop = new_registry(), asyncio.Event()
    feed = make_feed(ServerSettings(**settings), broker, CHANNEL, GatewayMetrics(registry), Health(), utc_now)
    listener = listen("127.0.0.1", 0)
    address = address_of(listener)
    async with asyncio.TaskGroup() as tasks, httpx.AsyncClient(base_url=address) as http:
        tasks.create_task(serve_feed(feed, registry, listener, stop))
        await await_until("the gateway answers", lambda: _answers(http))
        yield RunningGateway(address, feed, http)
        stop.set()


async def _answers(http: httpx.AsyncClient) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return (await http.get("healthz")).is_success
    return False


@dataclasses.dataclass(frozen=True)
class RunningWatcher:
    """A watcher that watches."""

    registry: CollectorRegistry
    health: Health

    def metric(self, name: str, **labels: str) -> float:
        """Read one sample of the watcher's metrics; of the first channel, if it is one of a channel."""
        value = self.registry.get_sample_value(name, {"channel": CHANNEL, **labels})
        return value or self.registry.get_sample_value(name, labels) or 0.0


@contextlib.asynccontextmanager
async def running_watcher(broker: Broker, path: Path, **settings: Any) -> AsyncIterator[RunningWatcher]:
    """Run a watcher until the end of the block; its sweep is slow, so that tests see what events alone do."""
    registry, health = new_registry(), Health()
    chosen = SourceSettings(report_file=path, **{"report_sweep_s": 60.0, "report_settle_s": 0.5, **settings})
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(Watcher(chosen, broker, WatcherMetrics(registry), health, utc_now).run())
        yield RunningWatcher(registry, health)
        watching.cancel()
