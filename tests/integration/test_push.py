"""Connections on transports that uvicorn hands off: what is special about them, on a real server."""

import asyncio
import contextlib
import functools
import gc
import json
import os
import socket

import pytest
import websockets.exceptions
from gateway.websocket import WebSocketConnection
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.close_codes import CloseCode
from reportcast.contracts.frames import SERVER
from reportcast.service.http import listen, serve_http
from reportcast.service.uvicorn_parts import HAND_OFF, WebSocketProtocol
from reportcast.telemetry.metrics import new_registry
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import ClientConnection
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode

from tests.support.faults import slow_reader
from tests.support.reports import publication
from tests.support.running import CHANNEL, RunningGateway, running_gateway
from tests.support.wait import await_until

# As browsers offer it.
DEFLATE = ClientPerMessageDeflateFactory(client_max_window_bits=True)
PING = '{"type":"ping"}'
HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


async def kind_of_next(client: ClientConnection) -> str:
    """Give the type of the next frame."""
    kind: str = json.loads(await client.recv())["type"]
    return kind


async def test_uvicorn_forgets_a_connection(gateway: RunningGateway) -> None:
    """Nothing of what it keeps for one is left, without a collection."""
    gc.collect()
    gc.disable()
    try:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(10):
                await (await stack.enter_async_context(gateway.connect(extensions=[DEFLATE]))).recv()
            kinds = [type(each) for each in gc.get_objects()]
    finally:
        gc.enable()

    assert kinds.count(WebSocketConnection) == 10
    assert kinds.count(WebSocketProtocol) == 0


@pytest.mark.parametrize(
    ("factory", "agreed"),
    [
        pytest.param(DEFLATE, True, id="as-browsers-do"),
        pytest.param(ClientPerMessageDeflateFactory(server_max_window_bits=15), True, id="largest-window"),
        pytest.param(ClientPerMessageDeflateFactory(server_max_window_bits=12), False, id="smaller-window"),
    ],
)
async def test_deflate(memory_broker: MemoryBroker, factory: ClientPerMessageDeflateFactory, agreed: bool) -> None:
    """A client that takes what everybody takes is sent the deflated frame; it may deflate, too."""
    await memory_broker.publish(CHANNEL, publication("x" * 5000, "name"))
    async with running_gateway(memory_broker) as gateway, gateway.connect(extensions=[factory]) as client:
        await await_until("it has joined", lambda: len(gateway.feeds.roster) == 1)

        assert len(json.loads(await client.recv())["data"]["repos"][0]["name"]) == 5005
        assert bool(client.protocol.extensions) is agreed
        await client.send(PING)
        assert await kind_of_next(client) == "pong"
        (connection,) = gateway.feeds.roster.connections
        newest = gateway.feed.audiences.plain.hub.newest
        assert newest is not None
        assert len(newest.deflated) < len(newest.plain) / 10
        assert gateway.feed.audiences.plain.hub.given(connection) == 1


async def test_a_fragmented_message_and_a_ping(gateway: RunningGateway) -> None:
    """Are answered as whole ones are; and pings between them."""
    async with gateway.connect() as client:
        await client.recv()
        await client.send(["{", '"type"', ':"ping"}'])
        assert await kind_of_next(client) == "pong"
        await (await client.ping())


async def test_a_text_that_is_not_utf_8(gateway: RunningGateway) -> None:
    """Closes with 1007 and disturbs nobody else."""
    async with gateway.connect() as client, gateway.connect() as other:
        await client.recv()
        await other.recv()
        await client.send(b"\xff\xfe", text=True)

        with pytest.raises(websockets.exceptions.ConnectionClosed):
            await client.recv()

        assert client.close_code == CloseCode.INVALID_TEXT
        await other.send(PING)
        assert await kind_of_next(other) == "pong"
        await await_until("it is gone", lambda: len(gateway.feeds.roster) == 1)
        assert await gateway.metric("reportcast_gateway_closed_total", code="1007") == 1


async def test_who_leaves_is_forgotten(gateway: RunningGateway) -> None:
    """With its own close code, or without any."""
    async with gateway.connect() as polite, slow_reader(gateway.address):
        await polite.recv()
        await await_until("both joined", lambda: len(gateway.feeds.roster) == 2)
    await await_until("both are gone", lambda: len(gateway.feeds.roster) == 0)

    assert gateway.feeds.roster.closing == []
    assert await gateway.metric("reportcast_gateway_connections", transport="websocket") == 0
    assert await gateway.metric("reportcast_gateway_closed_total", code="other") == 2


async def test_a_flood_of_messages_holds_nobody_up(gateway: RunningGateway) -> None:
    """Who sends many is read slowly, while others are answered at once; none of its messages is lost."""
    async with gateway.connect() as flood, gateway.connect() as other:
        await flood.recv()
        await other.recv()
        for _ in range(200):
            await flood.send(PING)
        for _ in range(20):
            await other.send(PING)
            assert await kind_of_next(other) == "pong"

        (first, _) = gateway.feeds.roster.connections
        assert isinstance(first, WebSocketConnection)
        assert first.is_resting
        for _ in range(200):
            assert await kind_of_next(flood) == "pong"


async def test_a_message_before_the_handshake_has_ended() -> None:
    """Is one too early (RFC 6455, 4.1): the transport is not handed off, and everything is as it was."""
    asked, came = asyncio.Event(), asyncio.Event()
    handed_off: list[object] = []

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        asked.set()
        await came.wait()
        await send({"type": "websocket.accept"})
        handed_off.append(scope["extensions"][HAND_OFF](asyncio.Protocol()))
        await send({"type": "websocket.close", "code": CloseCode.PROTOCOL_ERROR})

    listener, stop = listen("127.0.0.1", 0), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            serve_http(late, listener, stop, registry=new_registry(), lifespan="off", ws=WebSocketProtocol)
        )
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(HANDSHAKE)
        await asked.wait()
        writer.write(b"\x81\x80\0\0\0\0")
        await writer.drain()
        async with asyncio.timeout(10):
            for _ in range(10):  # turns of the loop, in which what was written arrives
                await asyncio.sleep(0)
            came.set()
            await reader.readuntil(b"\x88\x02\x03\xea")
        writer.close()
        await writer.wait_closed()
        stop.set()

    assert handed_off == [None]


@pytest.mark.parametrize("ending", ["abort", "close", "reset"])
async def test_a_descriptor_is_its_connections_until_it_is_lost(ending: str) -> None:
    """The event loop closes it only after ``connection_lost``: what is written to its number goes to nobody else."""
    lost = asyncio.get_running_loop().create_future()

    class Watching(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.descriptor = transport.get_extra_info("socket").fileno()
            self.socket = os.fstat(self.descriptor).st_ino
            if ending != "reset":
                getattr(transport, ending)()

        def connection_lost(self, exc: Exception | None) -> None:
            lost.set_result(os.fstat(self.descriptor).st_ino == self.socket)

    server = await asyncio.get_running_loop().create_server(Watching, "127.0.0.1", 0)
    with socket.create_connection(server.sockets[0].getsockname()) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, not an end
        if ending == "reset":
            client.close()
        assert await lost
    server.close()


@pytest.mark.parametrize("size", [1025, 3_000_000])
async def test_why_it_is_closed_is_seen_however_much_was_sent(gateway: RunningGateway, size: int) -> None:
    """1009, although the rest of the message is on its way still; and nothing of the connection stays."""
    port = int(gateway.address.rsplit(":", 1)[1].rstrip("/"))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HANDSHAKE)
    await reader.readuntil(f'"server":"{SERVER}"}}'.encode())  # the greeting
    writer.write(Frame(Opcode.TEXT, b"x" * size).serialize(mask=True))

    received = await reader.read()

    assert received[:1] == b"\x88"
    assert int.from_bytes(received[2:4]) == CloseCode.MESSAGE_TOO_BIG
    writer.close()
    await writer.wait_closed()
    await await_until("it is gone", lambda: not gateway.feeds.roster.closing and not len(gateway.feeds.roster))
    assert await gateway.metric("reportcast_gateway_closed_total", code="1009") == 1


async def test_a_connection_that_was_paused_before_it_was_handed_off(memory_broker: MemoryBroker) -> None:
    """By an answer that its client did not read: it is spared like any other, and nothing overtakes the answer."""
    await memory_broker.publish(CHANNEL, publication("x" * 8_000_000, "large"))
    async with running_gateway(memory_broker) as gateway:
        await await_until("it has the report", lambda: gateway.feed.audiences.plain.hub.newest)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.address.rsplit(":", 1)[1].rstrip("/")))
        writer.write(b"GET /audit HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        writer.write(HANDSHAKE)
        await await_until("it has joined", lambda: len(gateway.feeds.roster) == 1)
        (connection,) = gateway.feeds.roster.connections
        for mark in range(3):
            await memory_broker.publish(CHANNEL, publication(mark, f"small-{mark}"))
            await await_until("it is published", functools.partial(has_update, gateway, mark + 2))
        assert gateway.feeds.roster.paused == [connection]
        assert connection.unsent_bytes < 9_000_000

        body = await reader.readexactly(int(head.split("content-length: ")[1].split("\r\n")[0]))
        assert json.loads(body)["repos"][0]["name"] == "repo-" + "x" * 8_000_000
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        assert b'"repo-2"' in await reader.readuntil(SERVER.encode())  # the newest, and nothing before it
        writer.close()
        await writer.wait_closed()


def has_update(gateway: RunningGateway, number: int) -> bool:
    """Tell whether the update of that number was published to clients."""
    newest = gateway.feed.audiences.plain.hub.newest
    return newest is not None and newest.last == number
