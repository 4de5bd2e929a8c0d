"""The Python client on a real gateway."""

import asyncio

from reportcast.broker.memory import MemoryBroker
from reportcast_client import Report, connect, connect_sync

from tests.support.reports import publication
from tests.support.running import CHANNEL, RunningGateway


async def test_reports_come(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """The newest first, then each newer one."""
    async with connect(gateway.address, proxy=False) as feed:
        reports = aiter(feed)
        first = await anext(reports)
        await memory_broker.publish(CHANNEL, publication(2))
        second = await anext(reports)

    assert (first.position.offset, second.position.offset) == (1, 2)
    assert second.data != first.data
    assert await anext(reports, None) is None


async def test_without_an_event_loop(gateway: RunningGateway) -> None:
    """The same comes."""

    def first() -> Report:
        with connect_sync(gateway.address, proxy=False) as feed:
            return next(iter(feed))

    report = await asyncio.to_thread(first)

    assert report.position.offset == 1
