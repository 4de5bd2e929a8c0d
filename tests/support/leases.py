"""Leases as a watcher takes them, and what it says of its source while it has one."""

from reportcast.broker.base import Broker, Lease
from reportcast.contracts.messages import Source, SourceState

SOURCE = Source(SourceState.REJECTED, "2026-11-23T12:00:00.000Z", "cut off")


async def lease(broker: Broker, holder: str, channel: str = "audit") -> Lease:
    """Take or renew one lease."""
    (lease,) = await broker.lease([channel], holder)
    assert isinstance(lease, Lease)
    return lease


async def fence_of(broker: Broker, holder: str) -> int:
    """Take a lease that nobody else holds; give its fence."""
    fence = (await lease(broker, holder)).fence
    assert fence is not None
    return fence
