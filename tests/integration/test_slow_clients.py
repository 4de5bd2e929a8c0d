"""Clients that read slowly or not at all: bounded, skipped ahead, told, and in the end closed."""

import asyncio
import contextlib
import functools
import json
import re

import pytest
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.close_codes import CloseCode
from reportcast.contracts.frames import close_frame
from reportcast.contracts.v1_frames import SUBPROTOCOL

from tests.support.faults import slow_reader, slow_request, text_frames, trickling
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


@pytest.mark.alone
async def test_a_stuck_client_is_closed(memory_broker: MemoryBroker) -> None:
    """With a code that says so, which it sees if it comes to itself soon enough; a slow one that reads on stays."""
    async with (
        asyncio.TaskGroup() as tasks,
        running_gateway(memory_broker, gateway_stuck_s=0.5) as gateway,
        slow_reader(gateway.address) as stuck,
        slow_reader(gateway.address) as reading,
    ):
        await await_until("both joined", lambda: len(gateway.feeds.roster) == 2)
        trickle = tasks.create_task(trickling(reading))
        publishing = tasks.create_task(publish_large(memory_broker, gateway, 20))
        await await_until("neither keeps up", lambda: len(gateway.feeds.roster.paused) == 2)
        await await_until("it is asked to leave", lambda: len(gateway.feeds.roster) == 1)

        await publishing
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


async def test_an_event_stream_that_is_read_again(memory_broker: MemoryBroker) -> None:
    """Has skipped to the newest, and says so; nobody else waited."""
    async with running_gateway(memory_broker) as gateway, slow_request(gateway.address, "/events") as stream:
        await await_until("it has joined", lambda: len(gateway.feeds.roster) == 1)
        await publish_large(memory_broker, gateway, 20)
        assert len(gateway.feeds.roster.paused) == 1
        kinds: list[str] = []
        received = b""
        while not (kinds[-1:] == ["snapshot"] and "skipped" in kinds):
            received += await stream.read(1_000_000)
            kinds = re.findall(r'data: {"type":"(\w+)"', received.decode())

        (connection,) = gateway.feeds.roster.connections
        assert kinds.count("snapshot") + connection.session.conflated(connection) == 20
        assert received.count(b'"offset":20,') == 1


async def test_an_event_stream_that_is_stuck(memory_broker: MemoryBroker) -> None:
    """Is ended, and nothing of it is left."""
    async with running_gateway(memory_broker, gateway_stuck_s=0.5) as gateway:
        async with slow_request(gateway.address, "/events"):
            await await_until("it has joined", lambda: len(gateway.feeds.roster) == 1)
            await publish_large(memory_broker, gateway, 20)
            await await_until("it is asked to leave", lambda: gateway.feeds.roster.closing)
            await await_until("it is dropped", lambda: not gateway.feeds.roster.closing, timeout_s=20)

        assert await gateway.metric("reportcast_gateway_closed_total", code="4008") == 1
        assert gateway.feeds.admission.connections == 0


async def test_a_poll_that_is_not_read(memory_broker: MemoryBroker) -> None:
    """Keeps nobody waiting, and is cut off."""
    async with running_gateway(memory_broker, gateway_stuck_s=0.5) as gateway:
        await memory_broker.publish(CHANNEL, publication("x" * 20 * MEGABYTE, "huge"))
        await await_until("it has it", lambda: gateway.feed.replica.snapshot)
        async with slow_request(gateway.address, "/audit?since="):
            cut = functools.partial(gateway.metric, "reportcast_http_cut_total", reason="unread")
            await await_until("it is cut off", cut)


async def test_who_says_something_on_an_event_stream(memory_broker: MemoryBroker) -> None:
    """Has nothing to say there, and is ended."""
    async with running_gateway(memory_broker) as gateway:
        host, port = gateway.address.removeprefix("http://").rstrip("/").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        await await_until("it has joined", lambda: len(gateway.feeds.roster) == 1)
        writer.write(b"GET /audit HTTP/1.1\r\nHost: x\r\n\r\n")

        await await_until("it is gone", lambda: gateway.feeds.admission.connections == 0)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        assert b"retry: " in await reader.read(10_000)


async def test_who_asks_again_while_it_waits(memory_broker: MemoryBroker) -> None:
    """Is answered in the order that it asked in, on one connection."""
    async with running_gateway(memory_broker) as gateway:
        host, port = gateway.address.removeprefix("http://").rstrip("/").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /audit?since=&wait=5 HTTP/1.1\r\nHost: x\r\n\r\n")
        await await_until("it waits", lambda: len(gateway.feeds.roster.waiting) == 1)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        await memory_broker.publish(CHANNEL, publication(1))
        answers = b""
        while answers.count(b"HTTP/1.1 200") < 3:
            answers += await reader.read(100_000)
        writer.close()
        await writer.wait_closed()

    assert answers.index(b'"type":"snapshot"') < answers.index(b'"status":"ok"')
