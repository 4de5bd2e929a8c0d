"""Ports for what a test starts, at once or later."""

import functools
import itertools
import os
import socket
from collections.abc import Iterator
from pathlib import Path

HOST = "127.0.0.1"
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
IANA_EPHEMERAL = 49152  # where the kernel does not say, as on macOS: RFC 6335, section 6
HOW_MANY = 8192


def free_port() -> int:
    """
    Give a port that nothing listens on, and that nothing gets until it is asked for by number.

    The kernel gives no connection one of these: not one of the many clients either, that come and go while a gateway
    is down, or that another worker of pytest-xdist has meanwhile. No other worker is given the same.
    """
    return next(port for port in _candidates() if _is_free(port))


@functools.cache
def _candidates() -> Iterator[int]:
    """Go round this worker's part of those below the ephemeral ones; other runs of the suite begin elsewhere."""
    worker, workers = _worker()
    end = _first_ephemeral()
    ports = range(max(1024, end - HOW_MANY) + worker, end, workers)
    begin = os.getpid() * 64 % len(ports)
    return itertools.cycle([*ports[begin:], *ports[:begin]])


def _worker() -> tuple[int, int]:
    """Tell which worker of how many this is."""
    environment = os.environ  # noqa: TID251 - of the test run, not a setting of a service
    worker = int(environment.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(environment.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return worker, workers


def _first_ephemeral() -> int:
    return int(EPHEMERAL.read_text().split()[0]) if EPHEMERAL.exists() else IANA_EPHEMERAL


def _is_free(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except OSError:
        return False
    return True
