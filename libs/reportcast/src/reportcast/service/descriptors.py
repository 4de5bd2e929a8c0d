"""
How many descriptors a process may have, and who gets them.

OWN are what it has open itself: streams, event loop, listener, Redis, the watch. FREE are never given to connections,
so that Redis and files can be opened at any time. Of the rest, WebSockets do not get what ``for_http`` says; HTTP
requests can take more than that while there are few WebSockets.
"""

import contextlib
import resource

import structlog

OWN = 32
FREE = 32

# What the kernel gives at most where nothing else is set (fs.nr_open); more is not counted on.
MOST = 1_048_576

REMEDY = "raise nofile: ulimit -Hn, LimitNOFILE= or the container's ulimits"

log = structlog.get_logger("descriptors")


def raise_limit() -> int:
    """Give this process as many descriptors as it may have; say how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError):  # fs.nr_open may have been lowered after the limit was set
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else min(soft, MOST)


def for_http(nofile: int) -> int:
    """How many descriptors requests get: an eighth, and at most 448, which is 90 new requests a second kept for 5 s."""
    return min(nofile // 8, 448)


def connection_limit(asked: int, workers: int = 1, nofile: int | None = None) -> int:
    """
    Tell how many WebSockets there can be at a time, with a warning where it is fewer than asked for.

    Args:
        asked: How many there may be.
        workers: Processes that share the connections; each has descriptors of its own.
        nofile: Descriptors of each; this process's limit, which is raised for that, when ``None``.
    """
    nofile = raise_limit() if nofile is None else nofile
    effective = min(asked, workers * max(1, nofile - OWN - FREE - for_http(nofile)))
    if effective < asked:
        log.warning(
            "connection limit lowered",
            asked=asked,
            effective=effective,
            nofile=nofile,
            remedy=f"{REMEDY}, or lower GATEWAY_MAX_CONNECTIONS",
        )
    return effective
