"""Ports for what a case starts, at once or later."""

import functools
import itertools
import os
import socket
from collections.abc import Iterator
from pathlib import Path

HOST = "127.0.0.1"
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
HOW_MANY = 8192


def spare_port() -> int:
    """
    Give a port that nothing listens on, and that nothing gets until it is asked for by number.

    The kernel gives no connection one of these: not one of the many clients either, that come and go while a gateway
    is down.
    """
    return next(port for port in _candidates() if _is_free(port))


@functools.cache
def _candidates() -> Iterator[int]:
    """Go round those below the ephemeral ones; other runs of the suite begin elsewhere."""
    end = int(EPHEMERAL.read_text().split()[0])
    ports = range(max(1024, end - HOW_MANY), end)
    begin = os.getpid() * 64 % len(ports)
    return itertools.cycle([*ports[begin:], *ports[:begin]])


def _is_free(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except OSError:
        return False
    return True
