"""What a worker says of itself when a colleague asks, by question."""

import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry

from gateway.colleagues import Colleagues
from gateway.exposition import expose_together, families_of
from gateway.feed import Feeds
from gateway.status import tell


def answers_of(feeds: Feeds, registry: CollectorRegistry) -> Mapping[str, Callable[[], Any]]:
    """Give the answers of this process."""
    return {
        "status": functools.partial(tell, feeds),
        "clients": functools.partial(_clients, feeds),
        "metrics": functools.partial(families_of, registry),
    }


def exposition_by(colleagues: Colleagues) -> Callable[[], Awaitable[bytes]]:
    """Give what ``operational_routes`` takes, of all workers."""

    async def exposition() -> bytes:
        return expose_together((await colleagues.ask("metrics")).given.values())

    return exposition


def _clients(feeds: Feeds) -> list[dict[str, Any]]:
    return [
        {
            "id": connection.peer.id,
            "channel": connection.peer.channel,
            "address": connection.peer.address,
            "userAgent": connection.peer.user_agent,
            "connectedAt": feed.opened_at(connection.peer),
            "framesSent": connection.frames_sent,
            "conflated": connection.conflated,
            "behind": feed.hub.behind(connection),
        }
        for feed, connection in feeds.connections
    ]
