"""The subprotocol ``reportcast.v1`` on a real server, on each transport: handed off by uvicorn, and over plain ASGI."""

from collections.abc import AsyncIterator

import pytest
from reportcast.broker.memory import MemoryBroker

from tests.support.reports import publication
from tests.support.running import CHANNEL, Running, RunningGateway, live
from tests.support.v1 import publish, where
from tests.support.wait import await_until


@pytest.fixture
async def gateway(memory_broker: MemoryBroker, running: Running) -> AsyncIterator[RunningGateway]:
    """Give a gateway that has seen three reports, on each transport in turn."""
    await memory_broker.publish(CHANNEL, publication(1))
    await memory_broker.set_source(CHANNEL, live())
    async with running(memory_broker, channels=(CHANNEL, "dns")) as gateway:
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)
        await publish(memory_broker, 2, 3)
        await await_until("it has all", lambda: where(gateway).offset == 3)
        yield gateway
