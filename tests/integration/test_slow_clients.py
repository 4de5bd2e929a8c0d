"""Clients that read slowly or not at all: bounded, skipped ahead, told, and in the end closed."""

import asyncio
import contextlib
import functools
import json

import pytest
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.close_codes import CloseCode
from reportcast.contracts.frames import close_frame
from reportcast.contracts.v1_frames import SUBPROTOCOL

from tests.support.faults import slow_reader, text_frames, trickling
from tests.support.reports import publication
from tests.support.running import CHANNEL, Running, RunningGateway, running_gateway
from tests.support.wait import await_until

MEGABYTE = 1_000_000


def has(gateway: RunningGateway, updates: int) -> bool:
    """Tell whether so many updates were published to clients."""
    newest = gateway.feed.audiences.plain.hub.newest
    return newest is not None and newest.last == updates


async def publish_large(broker: MemoryBroker, gateway: RunningGateway, count: int) -> None:
    """Publish large reports, each once the one before was fanned out."""
    for mark in range(count):
        await broker.publish(CHANNEL, publication(str(mark) + "x" * MEGABYTE, f"large-{mark}"))
        await await_until("it is fanned out", functools.partial(has, gateway, mark + 1))


@pytest.mark.parametrize("subprotocol", [None, SUBPROTOCOL], ids=["as-ever", "v1"])
async def test_a_client_that_resumes(memory_broker: MemoryBroker, running: Running, subprotocol: str | None) -> None:
    """Gets the newest instead of what it missed, and is told what that stands for if it knows the word."""
    async with running(memory_broker) as gateway, slow_reader(gateway.address, subprotocol) as client:
        await await_until("it has joined", lambda: len(gateway.feeds.roster) == 1)
        await publish_large(memory_broker, gateway, 20)
        received: list[int] = []
        merged = 0
        async with contextlib.aclosing(text_frames(client)) as messages:
            async for message in messages:
                frame = json.loads(message)
                if frame["type"] == "skipped":
                    assert (frame["from"], frame["to"]) == (received[-1] + 1, 20)
                    merged += frame["merged"] - 1
                elif "data" in frame:
                    received.append(int(frame["data"]["repos"][0]["name"].removeprefix("repo-").rstrip("x")))
                if received[-1:] == [19]:
                    break

        (connection,) = gateway.feeds.roster.connections
        conflated = connection.session.conflated(connection)
        assert received == sorted(set(received))
        assert len(received) + conflated == 20
        assert conflated > 0
        assert merged == (conflated if subprotocol else 0)
        assert await gateway.metric("reportcast_gateway_conflated_total") == conflated


async def test_a_stuck_client_is_closed(memory_broker: MemoryBroker) -> None:
    """With a code that says so, which it sees if it comes to itself soon enough; a slow one that reads on stays."""
    async with (
        asyncio.TaskGroup() as tasks,
        running_gateway(memory_broker, gateway_stuck_s=0.5) as gateway,
        slow_reader(gateway.address) as stuck,
        slow_reader(gateway.address) as reading,
    ):
        await await_until("both joined", lambda: len(gateway.feeds.roster) == 2)
        await publish_large(memory_broker, gateway, 20)
        assert len(gateway.feeds.roster.paused) == 2
        trickle = tasks.create_task(trickling(reading))
        await await_until("it is asked to leave", lambda: len(gateway.feeds.roster) == 1)

        received = await stuck.read()

        assert received.endswith(close_frame(CloseCode.TOO_SLOW, "nothing was read for 0.5 s"))
        await await_until("it is gone", lambda: not gateway.feeds.roster.closing)
        assert await gateway.metric("reportcast_gateway_closed_total", code="4008") == 1
        assert len(gateway.feeds.roster) == 1
        trickle.cancel()


async def test_a_stuck_client_that_never_reads_again_is_dropped(memory_broker: MemoryBroker) -> None:
    """Its close is not waited for without end, so nothing of it is left."""
    async with running_gateway(memory_broker, gateway_stuck_s=0.5) as gateway, slow_reader(gateway.address):
        await await_until("it has joined", lambda: len(gateway.feeds.roster) == 1)
        await publish_large(memory_broker, gateway, 20)
        await await_until("it is asked to leave", lambda: gateway.feeds.roster.closing)

        await await_until("it is dropped", lambda: not gateway.feeds.roster.closing, timeout_s=20)

        assert await gateway.metric("reportcast_gateway_connections", transport="websocket") == 0
