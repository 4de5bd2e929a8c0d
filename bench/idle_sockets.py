"""
What `make bench-sockets` runs: what an idle connection takes of the kernel's memory and of the gateway's CPU.

    python -m bench.idle_sockets [--clients N] [--rounds N] [--output DIR]

Also the memory of a gateway without any. Prints one line of JSON and keeps it as bench/results/sockets-<date>.json. The
clients are on this machine too, so the kernel has two sockets for each connection: figures are for one of them. Quiet
neighbours matter: the books are of the whole machine. A round in which other sockets came or went is done again.
"""

import argparse
import asyncio
import contextlib
import dataclasses
import hashlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from reportcast.broker.redis import RedisBroker
from reportcast.contracts.clock import utc_now
from reportcast.contracts.messages import Publication

from bench.capacity.kernel import Books
from bench.clients import load_clients
from bench.fanout.usage import family_memory
from bench.latency import RESULTS, allow_descriptors, positive
from bench.machine import load_average, surroundings
from bench.services import running_service
from bench.watching.progress import progress
from bench.watching.usage import cpu_s
from tests.support.ports import free_port
from tests.support.redis_server import redis_process

WORKERS = (1, 2)
REPORT = b'{"timestamp":"2026-11-25T00:00:00Z","change":1,"repos":[]}'
# The kernel frees and charges lazily.
SETTLE_S = 2.0
# Over which the CPU time of upkeep is measured, with pings that often and without any.
UPKEEP_S, PING_S, NEVER_S = 12.0, 2.0, 3600.0
ATTEMPTS = 10
# Share of other sockets that may come or go meanwhile: they would be as much of the result.
FOREIGN = 0.002


@dataclasses.dataclass(frozen=True, slots=True)
class Gateway:
    """One that runs, with a report to serve."""

    pid: int
    port: int
    redis_url: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.idle_sockets", description="Measure idle connections.")
    parser.add_argument("--clients", type=positive, default=5000, help="connections (%(default)s)")
    parser.add_argument("--rounds", type=positive, default=3, help="the median is kept (%(default)s)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where to keep results (bench/results)")
    options = parser.parse_args(arguments)
    allow_descriptors(options.clients)
    began, load_before = utc_now(), load_average()
    each = [connections(options.clients) for _ in range(options.rounds)]
    look_s, with_pings_s = (upkeep_s(options.clients, interval_s) for interval_s in (NEVER_S, PING_S))
    result = {
        **surroundings(began, load_before),
        "clients": options.clients,
        "slab_bytes": round(statistics.median(slab for slab, _ in each)),
        "buffer_bytes": round(statistics.median(buffers for _, buffers in each)),
        "look_us": round(look_s * 1e6, 3),
        "ping_us": round((with_pings_s - look_s) * PING_S * 1e6, 3),
        "gateways": [{"workers": workers, "proportional_bytes": without_clients(workers)} for workers in WORKERS],
    }
    (options.output / f"sockets-{began:%Y-%m-%d}.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result))
    return 0


def connections(clients: int) -> tuple[float, float]:
    """Give by how much the kernel's objects and TCP's buffers grow for one end of an idle connection."""
    for _ in range(ATTEMPTS):
        with running_gateway(1) as gateway:
            before = settled()
            with load_clients(gateway.port, clients):
                after = settled()
        ends = 2 * clients
        if abs(after.sockets - before.sockets - ends) <= ends * FOREIGN:
            return (after.slab - before.slab) / ends, (after.tcp_buffers - before.tcp_buffers) / ends
        progress(f"{after.sockets - before.sockets} sockets came instead of {ends}; again")
    raise SystemExit("this machine is never quiet: other sockets come and go")


def upkeep_s(clients: int, ping_interval_s: float) -> float:
    """Give the CPU time that a gateway takes for each idle connection in a second, pings and pongs included."""
    with running_gateway(1, ping_interval_s, probes=False) as gateway, load_clients(gateway.port, clients):
        settled()
        used_s, began_s = cpu_s(gateway.pid), time.monotonic()
        time.sleep(UPKEEP_S)
        return (cpu_s(gateway.pid) - used_s) / (time.monotonic() - began_s) / clients


def without_clients(workers: int) -> int:
    """Give the memory of a gateway that nobody is connected to."""
    with running_gateway(workers) as gateway:
        settled()
        return family_memory(gateway.pid).proportional


def settled() -> Books:
    """Read the kernel's books once they are up to date."""
    time.sleep(SETTLE_S)
    return Books.read()


@contextlib.contextmanager
def running_gateway(workers: int, ping_interval_s: float = NEVER_S, probes: bool = True) -> Iterator[Gateway]:
    """Run Redis with a small report in it, and a gateway, until the end of the block."""
    port = free_port()
    with redis_process() as redis, tempfile.TemporaryDirectory(prefix="reportcast-bench-") as folder:
        asyncio.run(publish(redis.url))
        settings = {
            "REDIS_URL": redis.url,
            "GATEWAY_PORT": str(port),
            "GATEWAY_WORKERS": str(workers),
            "GATEWAY_PING_INTERVAL_S": str(ping_interval_s),
            "GATEWAY_SELF_PROBE": str(probes),
        }
        with running_service("reportcast-gateway", settings, Path(folder), port, "/audit") as pid:
            yield Gateway(pid, port, redis.url)


async def publish(url: str) -> None:
    """Publish the report, as the watcher does."""
    broker, now = RedisBroker(url), utc_now()
    await broker.publish("audit", Publication("bench", hashlib.sha256(REPORT).hexdigest(), now, now, REPORT))
    await broker.close()


if __name__ == "__main__":
    sys.exit(main())
