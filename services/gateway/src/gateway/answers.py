"""What a worker says of itself when a colleague asks, by question."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry

from gateway.colleagues import Colleagues
from gateway.exposition import expose_together, families_of
from gateway.feed import Feed, Feeds
from gateway.hub import Connection
from gateway.status import tell


def answers_of(feeds: Feeds, registry: CollectorRegistry) -> Mapping[str, Callable[[], Awaitable[Any]]]:
    """Give the answers of this process."""

    async def status() -> Any:
        return tell(feeds)

    async def clients() -> Any:
        # 50 000 of them take a third of a second.
        return await asyncio.to_thread(_clients, feeds.connections)

    async def metrics() -> Any:
        return families_of(registry)

    return {"status": status, "clients": clients, "metrics": metrics}


def exposition_by(colleagues: Colleagues) -> Callable[[], Awaitable[bytes]]:
    """Give what ``operational_routes`` takes, of all workers."""

    async def exposition() -> bytes:
        return expose_together((await colleagues.ask("metrics")).given.values())

    return exposition


def _clients(everyone: Sequence[tuple[Feed, Connection]]) -> list[dict[str, Any]]:
    return [
        {
            "id": connection.peer.id,
            "channel": connection.peer.channel,
            "address": connection.peer.address,
            "userAgent": connection.peer.user_agent,
            "connectedAt": feed.opened_at(connection.peer),
            "framesSent": feed.hub.given(connection),
            "conflated": connection.conflated,
            "behind": feed.hub.behind(connection),
        }
        for feed, connection in everyone
    ]
