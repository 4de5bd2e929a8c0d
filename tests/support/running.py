"""Watcher and gateway in this process, as their entry points run them: real files, real uvicorn, a free port."""

import asyncio
import contextlib
import dataclasses
import datetime
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import websockets.asyncio.client
from gateway.admission import Admission
from gateway.feed import Feed, Feeds, make_feeds
from gateway.ledger import Ledger
from gateway.metrics import GatewayMetrics
from gateway.server import serve_feeds
from gateway.settings import ServerSettings
from prometheus_client import CollectorRegistry
from reportcast.broker.base import Broker
from reportcast.contracts.clock import utc_now
from reportcast.contracts.messages import Source, SourceState
from reportcast.contracts.v1_frames import SUBPROTOCOL
from reportcast.service.descriptors import connection_limit
from reportcast.service.http import address_of, listen
from reportcast.telemetry.health import Health
from reportcast.telemetry.metrics import new_registry
from watcher.app import Watcher
from watcher.metrics import WatcherMetrics
from watcher.settings import SourceSettings
from websockets.typing import Subprotocol

from tests.support.wait import await_until

CHANNEL = "audit"
ADMIN_TOKEN = "sesame-sesame"
SINCE = "2026-11-23T12:00:00.000Z"


def live() -> Source:
    """Give the word of a watcher that is there and finds all well."""
    return Source(SourceState.LIVE, SINCE, heard_at=utc_now())


@dataclasses.dataclass(frozen=True)
class RunningGateway:
    """A gateway that serves; ``address`` ends with a slash; ``stop`` does what a signal does."""

    address: str
    feeds: Feeds
    http: httpx.AsyncClient
    stop: Callable[[], object]

    @property
    def feed(self) -> Feed:
        """The first channel's."""
        return self.feeds.first

    def connect(self, channel: str | None = None, **options: Any) -> websockets.asyncio.client.connect:
        """Connect a WebSocket client to ``/ws``, of ``channel`` if one is named."""
        query = "" if channel is None else f"?channel={quote(channel)}"
        return websockets.asyncio.client.connect(self.address.replace("http", "ws", 1) + "ws" + query, **options)

    def connect_v1(self, query: str = "", **options: Any) -> websockets.asyncio.client.connect:
        """Connect a client that speaks ``reportcast.v1``; ``query`` is the rest of the address."""
        address = self.address.replace("http", "ws", 1) + "ws" + (f"?{query}" if query else "")
        return websockets.asyncio.client.connect(address, subprotocols=[Subprotocol(SUBPROTOCOL)], **options)

    async def status(self, channel: str | None = None) -> dict[str, Any]:
        """Ask ``/api/ws/status``, of ``channel`` if one is named."""
        query = {} if channel is None else {"channel": channel}
        answer: dict[str, Any] = (await self.http.get("api/ws/status", params=query)).json()
        return answer

    async def metric(self, name: str, **labels: str) -> float:
        """Read one sample of ``/metrics``."""
        wanted = name + ("{" + ",".join(f'{k}="{v}"' for k, v in labels.items()) + "}" if labels else "") + " "
        lines = (await self.http.get("metrics")).text.splitlines()
        return next(float(line.removeprefix(wanted)) for line in lines if line.startswith(wanted))


Running = Callable[..., contextlib.AbstractAsyncContextManager[RunningGateway]]


@contextlib.asynccontextmanager
async def running_gateway(
    broker: Broker,
    channels: Sequence[str] = (CHANNEL,),
    hands_off: bool = True,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], datetime.datetime] = utc_now,
    **settings: Any,
) -> AsyncIterator[RunningGateway]:
    """
    Run a gateway until the end of the block; it drains at once.

    Args:
        broker: To follow.
        channels: To serve.
        hands_off: Whether its HTTP server hands transports off; otherwise it is one that cannot.
        clock: That of its limit on handshakes.
        now: What its host's clock says.
        settings: As ``ServerSettings`` has them.
    """
    registry, stop = new_registry(), asyncio.Event()
    chosen = ServerSettings(**{"gateway_drain_s": 0, "gateway_self_probe": False, **settings})
    websocket: dict[str, Any] = {} if hands_off else {"ws": "websockets-sansio"}
    admission = Admission(chosen, connection_limit(chosen.gateway_max_connections), Ledger(), 0, clock)
    feeds = make_feeds(chosen, broker, channels, GatewayMetrics(registry), Health(), now, admission)
    listener = listen("127.0.0.1", 0)
    address = address_of(listener)
    async with asyncio.TaskGroup() as tasks, httpx.AsyncClient(base_url=address) as http:
        tasks.create_task(serve_feeds(feeds, registry, listener, stop, **websocket))
        await await_until("the gateway answers", lambda: _answers(http))
        yield RunningGateway(address, feeds, http, stop.set)
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
    stop: Callable[[], object]

    def metric(self, name: str, **labels: str) -> float:
        """Read one sample of the watcher's metrics; of the first channel, if it is one of a channel."""
        value = self.registry.get_sample_value(name, {"channel": CHANNEL, **labels})
        return value or self.registry.get_sample_value(name, labels) or 0.0

    def has(self, name: str) -> bool:
        """Tell whether there is a sample of a metric, whatever its labels."""
        return any(sample.name == name for family in self.registry.collect() for sample in family.samples)


@contextlib.asynccontextmanager
async def running_watcher(
    broker: Broker, path: Path | None = None, now: Callable[[], datetime.datetime] = utc_now, **settings: Any
) -> AsyncIterator[RunningWatcher]:
    """Run a watcher until the end of the block; its sweep is slow, so that tests see what events alone do."""
    registry, health = new_registry(), Health()
    watched = {"report_file": path} if path else {}
    quiet = {"report_sweep_s": 60.0, "report_settle_s": 0.5, "report_canary_s": 0}
    chosen = SourceSettings(**{**quiet, **watched, **settings})
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(Watcher(chosen, broker, WatcherMetrics(registry), health, now).run())
        yield RunningWatcher(registry, health, watching.cancel)
        watching.cancel()
