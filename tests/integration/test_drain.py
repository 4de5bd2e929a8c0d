"""The end of a gateway, and of connections that have been there for long."""

import asyncio
import collections
import json
import time
from collections.abc import AsyncIterator

import pytest
import websockets.exceptions
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.close_codes import CloseCode
from websockets.asyncio.client import ClientConnection

from tests.support.faults import slow_reader
from tests.support.running import Running, running_gateway
from tests.support.wait import await_until


async def endless(client: ClientConnection) -> AsyncIterator[object]:
    """Give every message, and raise at the end whatever its code."""
    while True:
        yield await client.recv()


async def closed_at(client: ClientConnection) -> float:
    """Wait until the client is closed, as it has to be; give when that was."""
    with pytest.raises(websockets.exceptions.ConnectionClosed):
        [None async for _ in endless(client)]
    assert client.close_code == CloseCode.SERVICE_RESTART
    assert 100 <= json.loads(client.close_reason or "")["retry_after_ms"] <= 1000
    return time.monotonic()


@pytest.mark.alone
async def test_connections_are_closed_gradually(memory_broker: MemoryBroker, running: Running) -> None:
    """No part of the time has much more than its share, whatever carries them; each is told when to come back."""
    async with asyncio.TaskGroup() as tasks, running(memory_broker, gateway_drain_s=1.5) as gateway:
        clients = [await gateway.connect() for _ in range(120)]
        closing = [tasks.create_task(closed_at(client)) for client in clients]
        began = time.monotonic()
    parts = collections.Counter(int((task.result() - began) / 0.3) for task in closing)

    assert max(parts.values()) <= 2 * 120 / 5
    assert len(parts) >= 5
    assert await_all_closed(clients)


def await_all_closed(clients: list[ClientConnection]) -> bool:
    """Tell whether every client has seen a clean end."""
    return all(client.close_code == CloseCode.SERVICE_RESTART for client in clients)


async def test_while_it_drains_nobody_is_let_in(memory_broker: MemoryBroker) -> None:
    """It is not ready and takes no connection; who has one already and asks to follow is sent on."""
    async with running_gateway(memory_broker, gateway_drain_s=2) as gateway:
        staying = [await gateway.connect() for _ in range(2)]
        _, kept = await asyncio.open_connection("127.0.0.1", int(gateway.address.rsplit(":", 1)[1].rstrip("/")))
        gateway.stop()
        await await_until("it drains", lambda: gateway.feeds.is_draining)

        assert not gateway.feed.health.is_ready
        with pytest.raises(OSError, match="onnect"):
            await gateway.connect()
        kept.close()
        for client in staying:
            await closed_at(client)


async def test_who_does_not_answer_the_close_is_not_waited_for(memory_broker: MemoryBroker) -> None:
    """The process ends although a client never reads."""
    async with asyncio.timeout(20):
        async with running_gateway(memory_broker) as gateway, slow_reader(gateway.address):
            await await_until("it has joined", lambda: len(gateway.feeds.roster) == 1)
            gateway.stop()
            await await_until("it is dropped", lambda: not gateway.feeds.roster.closing, timeout_s=20)


async def test_a_long_life_ends(memory_broker: MemoryBroker) -> None:
    """With the request to come again; without the setting it goes on."""
    async with running_gateway(memory_broker, gateway_max_lifetime_s=1) as gateway, gateway.connect() as client:
        await closed_at(client)
        await await_until("it is gone", lambda: not gateway.feeds.roster.closing)
        assert await gateway.metric("reportcast_gateway_closed_total", code="1012") == 1
