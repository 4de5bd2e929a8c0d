"""The servers that are measured, each in a process of its own, and how a report reaches them."""

import asyncio
import contextlib
import dataclasses
import enum
import hashlib
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from reportcast.broker.redis import RedisBroker
from reportcast.contracts.clock import utc_now
from reportcast.contracts.messages import Publication

from bench.services import running_command
from tests.support.ports import free_port
from tests.support.redis_server import redis_process

HERE = Path(__file__).parent
GATEWAY = Path(sys.executable).with_name("reportcast-gateway")
INLINE = HERE / "inline_gateway.py"
PEER = HERE / "peer_programs" / "connection_manager.py"
# The clients answer no pings.
NO_PINGS = {"GATEWAY_PING_INTERVAL_S": "3600"}


class Kind(enum.Enum):
    """Which server."""

    GATEWAY = "gateway"
    INLINE = "gateway, no thread"
    PEER = "ConnectionManager"


@dataclasses.dataclass(frozen=True, slots=True)
class Server:
    """
    A server that runs.

    Attributes:
        publish: Hands it a report; may return before clients have it.
    """

    pid: int
    port: int
    publish: Callable[[bytes], None]


@contextlib.contextmanager
def running_server(kind: Kind, report: bytes, folder: Path) -> Iterator[Server]:
    """Run a server, and what it needs, until the end of the block; it serves ``report`` by then."""
    with running_peer(report, folder) if kind is Kind.PEER else running_gateway(kind, report, folder) as server:
        yield server


@contextlib.contextmanager
def running_gateway(kind: Kind, report: bytes, folder: Path) -> Iterator[Server]:
    """Run Redis and a gateway."""
    port = free_port()
    command: list[str | Path] = [GATEWAY] if kind is Kind.GATEWAY else [sys.executable, INLINE]
    with redis_process() as redis:
        settings = {"REDIS_URL": redis.url, "GATEWAY_PORT": str(port), **NO_PINGS}

        def publish(report: bytes) -> None:
            asyncio.run(_publish(redis.url, report))

        publish(report)
        with running_command("gateway", command, settings, folder, port, "/audit") as pid:
            yield Server(pid, port, publish)


async def _publish(url: str, report: bytes) -> None:
    broker, now = RedisBroker(url), utc_now()
    await broker.publish("audit", Publication("report", hashlib.sha256(report).hexdigest(), now, now, report))
    await broker.close()


@contextlib.contextmanager
def running_peer(report: bytes, folder: Path) -> Iterator[Server]:
    """Run the peer."""
    port = free_port()
    threads: list[threading.Thread] = []

    def post(report: bytes) -> None:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/publish", report, timeout=120).close()

    def publish(report: bytes) -> None:
        # It answers when every client was sent the report.
        threads.append(threading.Thread(target=post, args=(report,)))
        threads[-1].start()

    with running_command("peer", [sys.executable, PEER, str(port)], {}, folder, port, "/healthz") as pid:
        post(report)
        yield Server(pid, port, publish)
        for thread in threads:
            thread.join()
