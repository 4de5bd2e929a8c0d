"""
The contract with existing clients over the WebSocket, to the letter, on a real server.

Each test runs twice: on transports that uvicorn hands off, and over plain ASGI.
"""

import json
from collections.abc import AsyncIterator

import pytest
import websockets.exceptions
from reportcast.broker.base import Broker
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.close_codes import CloseCode
from websockets.asyncio.client import ClientConnection

from tests.support.faults import slow_reader
from tests.support.reports import audit, publication
from tests.support.running import ADMIN_TOKEN, CHANNEL, Running, RunningGateway, live
from tests.support.wait import await_until

ADMIN = {"Authorization": f"Bearer {ADMIN_TOKEN}"}


@pytest.fixture
async def gateway(memory_broker: MemoryBroker, running: Running) -> AsyncIterator[RunningGateway]:
    """Give a gateway that has a report, on each transport in turn."""
    await memory_broker.publish(CHANNEL, publication(1))
    await memory_broker.set_source(CHANNEL, live())
    async with running(memory_broker) as gateway:
        await await_until("it has the report", lambda: gateway.feed.audiences.plain.hub.newest)
        yield gateway


async def ask(client: ClientConnection, message: str | bytes) -> object:
    """Send one message and give the answer."""
    await client.send(message)
    return json.loads(await client.recv())


async def test_the_report_on_connect(gateway: RunningGateway) -> None:
    """Exactly the four fields, the report as written."""
    async with gateway.connect() as client:
        frame = json.loads(await client.recv())

    assert list(frame) == ["type", "data", "timestamp", "server"]
    assert frame["type"] == "audit-update"
    assert frame["data"] == audit(1)
    assert frame["server"] == "reportcast-0.1.0"


async def test_the_report_on_every_change(broker: Broker, running: Running) -> None:
    """Every client gets every change, in order, on either broker."""
    async with running(broker) as gateway, gateway.connect() as first, gateway.connect() as second:
        for client in (first, second):
            assert json.loads(await client.recv())["message"] == "Failed to load audit data"
        for mark in range(3):
            await broker.publish(CHANNEL, publication(mark))

            for client in (first, second):
                assert json.loads(await client.recv())["data"] == audit(mark)


async def test_requests(gateway: RunningGateway) -> None:
    """Each message of a client gets the contract's answer, to the letter."""
    async with gateway.connect() as client:
        greeting = json.loads(await client.recv())
        pong = await ask(client, '{"type":"ping"}')

        assert isinstance(pong, dict)
        assert list(pong) == ["type", "timestamp"]
        assert pong["type"] == "pong"
        assert await ask(client, '{"type":"request-update"}') == greeting
        assert await ask(client, b'{"type":"request-update"}') == greeting
        assert await ask(client, '{"type":"X"}') == {"type": "error", "message": "Unknown message type: X"}
        for bad in ("hello", "[]", "{}", "3"):
            assert await ask(client, bad) == {"type": "error", "message": "Invalid message format"}
        again = await ask(client, '{"type":"ping"}')
        assert isinstance(again, dict)
        assert again["type"] == "pong"
    assert await gateway.metric("reportcast_gateway_bad_requests_total") == 5


async def test_without_a_report(memory_broker: MemoryBroker, running: Running) -> None:
    """Clients are told, and get the report when it comes."""
    async with running(memory_broker) as gateway, gateway.connect() as client:
        refusal = json.loads(await client.recv())
        assert list(refusal) == ["type", "message", "timestamp"]
        assert refusal["message"] == "Failed to load audit data"
        assert (await gateway.http.get("audit")).status_code == 503
        assert (await gateway.status())["status"] == "degraded"

        await memory_broker.publish(CHANNEL, publication(1))

        assert json.loads(await client.recv())["data"] == audit(1)


async def test_a_message_above_1024_bytes(gateway: RunningGateway) -> None:
    """1024 are answered; one more closes the connection with 1009 and disturbs nobody else."""
    async with gateway.connect() as client, gateway.connect() as other:
        await client.recv()
        await other.recv()
        assert await ask(client, '{"type":"ping"}'.ljust(1024)) != {}
        await client.send("x" * 1025)

        with pytest.raises(websockets.exceptions.ConnectionClosed):
            await client.recv()

        assert client.close_code == CloseCode.MESSAGE_TOO_BIG
        assert await ask(other, '{"type":"ping"}') != {}


async def test_the_connection_limit(memory_broker: MemoryBroker, running: Running) -> None:
    """One above it is closed with 1013; when one leaves, the next is let in."""
    async with running(memory_broker, gateway_max_connections=1) as gateway:
        async with gateway.connect() as first:
            await first.recv()
            async with gateway.connect() as second:
                with pytest.raises(websockets.exceptions.ConnectionClosed):
                    await second.recv()
                assert second.close_code == CloseCode.TRY_AGAIN_LATER
        assert await gateway.metric("reportcast_gateway_refused_total", reason="limit") == 1
        await await_until("the first is gone", lambda: len(gateway.feeds.roster) == 0)
        async with gateway.connect() as third:
            await third.recv()


async def test_a_foreign_origin_is_refused_before_the_upgrade(memory_broker: MemoryBroker, running: Running) -> None:
    """403; the same host and an allowed origin are let in."""
    async with running(memory_broker, gateway_allowed_origins=("https://ok.example",)) as gateway:
        with pytest.raises(websockets.exceptions.InvalidStatus) as caught:
            await gateway.connect(origin="https://evil.example")
        assert caught.value.response.status_code == 403
        for origin in (gateway.address.rstrip("/"), "https://ok.example"):
            async with gateway.connect(origin=origin) as client:
                await client.recv()
        assert await gateway.metric("reportcast_gateway_refused_total", reason="origin") == 1
        cors = await gateway.http.get("audit", headers={"Origin": "https://ok.example"})
        assert cors.headers["access-control-allow-origin"] == "https://ok.example"


async def test_a_silent_peer_is_dropped(memory_broker: MemoryBroker, running: Running) -> None:
    """One that answers pings stays; one that does not is dropped after two."""
    async with (
        running(memory_broker, gateway_ping_interval_s=0.2) as gateway,
        gateway.connect() as alive,
        slow_reader(gateway.address),
    ):
        await await_until("both joined", lambda: len(gateway.feeds.roster) == 2)
        await await_until("the silent one is dropped", lambda: len(gateway.feeds.roster) == 1)

        assert await alive.recv()
        assert await ask(alive, '{"type":"ping"}') != {}


async def test_a_client_that_does_not_read_disturbs_nobody(memory_broker: MemoryBroker, running: Running) -> None:
    """Nothing is kept for it but what the kernel took; the others get every change; what it missed is counted."""
    big = publication("x" * 200_000, "big")
    async with running(memory_broker, gateway_admin_token=ADMIN_TOKEN) as gateway:
        async with slow_reader(gateway.address), gateway.connect(max_size=None) as reader:
            await reader.recv()
            await await_until("both joined", lambda: len(gateway.feeds.roster) == 2)
            for mark in range(200):
                await memory_broker.publish(CHANNEL, big if mark % 2 else publication(mark, "small"))
                await reader.recv()

            (stuck,) = gateway.feeds.roster.paused
            assert stuck.unsent_bytes < 250_000
            behind = gateway.feed.audiences.plain.hub.behind(stuck)
            assert gateway.feed.audiences.plain.hub.given(stuck) + behind == 200
            listed = (await gateway.http.get("api/ws/clients", headers=ADMIN)).json()["clients"]
            assert [each["behind"] for each in listed] == [behind, 0]
        await await_until("both are gone", lambda: len(gateway.feeds.roster) == 0)
        assert await gateway.metric("reportcast_gateway_conflated_total") == behind


async def test_every_client_is_sent_the_same_object(gateway: RunningGateway) -> None:
    """The frame is made once; a late client is sent the very one that the others got."""
    newest = gateway.feed.audiences.plain.hub.newest
    assert newest is not None
    assert newest.plain is newest.plain
    assert newest.deflated is newest.deflated
    async with gateway.connect() as early:
        first = await early.recv()
        async with gateway.connect() as late:
            assert await late.recv() == first


async def test_a_gateway_that_joins_later_has_the_report(broker: Broker, running: Running) -> None:
    """A new replica serves at once what was published before it was there."""
    await broker.publish(CHANNEL, publication(1))
    await broker.publish(CHANNEL, publication(2))
    async with running(broker) as gateway:
        await await_until("it has joined", lambda: gateway.feed.relay.is_connected)
        async with gateway.connect() as client:
            assert json.loads(await client.recv())["data"] == audit(2)


async def test_a_refresh_sends_the_report_to_everyone_again(
    gateway: RunningGateway, memory_broker: MemoryBroker
) -> None:
    """As the watcher announces it after a triggered read."""
    async with gateway.connect() as client:
        first = json.loads(await client.recv())
        await memory_broker.announce_refreshed(CHANNEL)
        again = json.loads(await client.recv())

    assert again["data"] == first["data"]
    assert again["timestamp"] > first["timestamp"]


async def test_a_client_that_reads_gets_every_change(memory_broker: MemoryBroker, running: Running) -> None:
    """A thousand of them, each once and in order, at the pace at which it reads."""
    async with running(memory_broker) as gateway, gateway.connect() as client:
        await client.recv()
        for mark in range(1000):
            await memory_broker.publish(CHANNEL, publication(mark))

            assert json.loads(await client.recv())["data"] == audit(mark)


async def test_a_burst_ends_on_the_newest(memory_broker: MemoryBroker, running: Running) -> None:
    """What is published faster than it can be sent is conflated; nothing older comes after something newer."""
    async with running(memory_broker) as gateway, gateway.connect() as client:
        await client.recv()
        for mark in range(500):
            await memory_broker.publish(CHANNEL, publication(mark))
        marks: list[int] = []
        while not marks or marks[-1] != 499:
            name: str = json.loads(await client.recv())["data"]["repos"][0]["name"]
            marks.append(int(name.rpartition("-")[2]))

    assert marks == sorted(set(marks))
