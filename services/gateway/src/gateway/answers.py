"""What a worker says of itself when a colleague asks, by question."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry

from gateway.colleagues import Colleagues
from gateway.exposition import expose_together, families_of
from gateway.feed import Feed, Feeds
from gateway.hub import slices
from gateway.roster import Connection, Roster
from gateway.status import tell


def answers_of(feeds: Feeds, registry: CollectorRegistry) -> Mapping[str, Callable[[], Awaitable[Any]]]:
    """Give the answers of this process."""

    async def status() -> Any:
        return tell(feeds)

    async def clients() -> Any:
        listed: list[dict[str, Any]] = []
        # 50 000 take a third of a second. Not in a thread: it would have its turn at every write of a fan-out.
        for few in slices(feeds.roster.connections):
            listed += (_client(feeds.roster, connection) for connection in few)
            await asyncio.sleep(0)
        return listed

    async def metrics() -> Any:
        return families_of(registry)

    async def trace(feed: Feed) -> Any:
        return feed.traces.tell()

    traces = {f"trace {feed.channel}": functools.partial(trace, feed) for feed in feeds}
    return {"status": status, "clients": clients, "metrics": metrics, **traces}


def exposition_by(colleagues: Colleagues) -> Callable[[], Awaitable[bytes]]:
    """Give what ``operational_routes`` takes, of all workers."""

    async def exposition() -> bytes:
        return expose_together((await colleagues.ask("metrics")).given.values())

    return exposition


def _client(roster: Roster, connection: Connection) -> dict[str, Any]:
    session = connection.session
    return {
        "id": connection.peer.id,
        "channel": connection.peer.channel,
        "transport": connection.transport.value,
        "address": connection.peer.address,
        "userAgent": connection.peer.user_agent,
        "connectedAt": roster.opened_at(connection.peer),
        "framesSent": session.given(connection),
        "conflated": session.conflated(connection),
        "behind": session.behind(connection),
    }
