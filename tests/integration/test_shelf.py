"""Past reports, however many ask for them."""

import asyncio

import pytest
from gateway.compressor import Compressor
from gateway.shelf import KEPT, MAX_WAITING, Shelf, ShelfBusy
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.body import Encoding
from reportcast.contracts.messages import Snapshot

from tests.support.reports import publication

NAMES = [f"report-{number}" for number in range(KEPT + 1)]


class CountsReads(MemoryBroker):
    """A broker that knows how often a past report was read, and holds readers until ``go`` is set."""

    def __init__(self) -> None:
        super().__init__(asyncio.get_running_loop().time)
        self.reads = 0
        self.go = asyncio.Event()

    async def past_report(self, channel: str, name: str) -> Snapshot | None:
        self.reads += 1
        await self.go.wait()
        return await super().past_report(channel, name)


@pytest.fixture
async def broker() -> CountsReads:
    """Give one that has some."""
    broker = CountsReads()
    for number, name in enumerate(NAMES):
        await broker.publish("audit", publication(number, name))
    return broker


async def test_many_who_ask_for_one_share_it(broker: CountsReads) -> None:
    """It is read once and encoded once, and all get the very same bytes."""
    broker.go.set()
    shelf = Shelf(broker, Compressor())

    bodies = await asyncio.gather(*(shelf.get("audit", "report-1.json") for _ in range(MAX_WAITING)))
    encoded = await asyncio.gather(*(shelf.encoded(body, Encoding.ZSTD) for body in bodies if body))

    assert broker.reads == 1
    assert len({id(each) for each in encoded}) == 1


async def test_few_are_kept(broker: CountsReads) -> None:
    """The one that was asked for least lately makes room; what is not there is not kept."""
    broker.go.set()
    shelf = Shelf(broker, Compressor())
    for name in NAMES:
        assert await shelf.get("audit", f"{name}.json")
    assert await shelf.get("audit", "none.json") is None
    reads = broker.reads

    await shelf.get("audit", f"{NAMES[-1]}.json")
    assert broker.reads == reads
    await shelf.get("audit", f"{NAMES[0]}.json")
    assert broker.reads == reads + 1


async def test_who_comes_when_many_wait_is_told_so(broker: CountsReads) -> None:
    """Instead of waiting without end; who waits is served, and who goes away makes room."""
    shelf = Shelf(broker, Compressor())
    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(shelf.get("audit", "report-1.json")) for _ in range(MAX_WAITING)]
        await asyncio.sleep(0)
        with pytest.raises(ShelfBusy):
            await shelf.get("audit", "report-1.json")
        waiting[-1].cancel()
        await asyncio.sleep(0)
        waiting[-1] = tasks.create_task(shelf.get("audit", "report-1.json"))
        broker.go.set()

    assert all(task.result() for task in waiting)
