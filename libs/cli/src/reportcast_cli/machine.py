"""What the process that makes load, and the gateway under it, spend; and how late this process is."""

import asyncio
import contextlib
import dataclasses
import ipaddress
import resource
import socket
import time
from collections.abc import Iterator

from reportcast_cli.exits import Trouble
from reportcast_cli.fetch import fetch
from reportcast_cli.plot import percentile

# Streams, event loop, HTTP; the rest is for clients.
OWN_DESCRIPTORS = 64
TICK_S = 0.02


@dataclasses.dataclass(frozen=True, slots=True)
class Gateway:
    """What a gateway's ``/metrics`` say: resident bytes and CPU seconds of its processes, and open WebSockets."""

    memory: float
    cpu_s: float
    connections: float


@dataclasses.dataclass(slots=True)
class Effort:
    """How hard this process worked: share of one core, and how late its event loop was (ms, 99th percentile)."""

    cpu: float = 0.0
    late_ms: float = 0.0


def metrics_of(url: str, token: str | None) -> Gateway | None:
    """Ask; ``None`` if there is no answer, or it tells of something else."""
    with contextlib.suppress(Trouble, ValueError, KeyError):
        answer = fetch(f"{url}metrics", token)
        lines = (line.rpartition(" ") for line in answer.body.decode().splitlines() if not line.startswith("#"))
        values = {name: float(value) for name, _, value in lines}
        names = (
            "process_resident_memory_bytes",
            "process_cpu_seconds_total",
            'reportcast_gateway_connections{transport="websocket"}',
        )
        return Gateway(*(values[name] for name in names))
    return None


def raise_descriptors(clients: int) -> None:
    """
    Make sure that there can be so many connections.

    Raises:
        Trouble: If the system does not let this process have as many.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = clients + OWN_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            raise Trouble(f"{clients} clients need {wanted} descriptors; this process may have {hard} (ulimit -Hn)")
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def is_local(host: str) -> bool:
    """Tell whether an address is of this machine: then both ends share its clock, and its cores."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return all(ipaddress.ip_address(each[4][0]).is_loopback for each in found)


@contextlib.contextmanager
def measured() -> Iterator[Effort]:
    """Measure what this process does until the end of the block, in which its event loop runs."""
    loop, effort = asyncio.get_running_loop(), Effort()
    late_ms = [0.0]
    began_s, cpu_s = time.monotonic(), time.process_time()

    def tick(due_s: float) -> None:
        late_ms.append(1000 * (loop.time() - due_s))
        if not is_over.done():
            loop.call_later(TICK_S, tick, loop.time() + TICK_S)

    is_over = loop.create_future()
    loop.call_later(TICK_S, tick, loop.time() + TICK_S)
    try:
        yield effort
    finally:
        is_over.cancel()
        effort.cpu = (time.process_time() - cpu_s) / (time.monotonic() - began_s)
        effort.late_ms = percentile(sorted(late_ms), 0.99)
