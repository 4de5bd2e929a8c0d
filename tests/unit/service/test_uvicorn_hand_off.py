"""A WebSocket's transport is handed off by uvicorn, and nothing of it stays behind."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable

import pytest
import uvloop
from reportcast.service.uvicorn_parts import HAND_OFF, HandedOff, WebSocketProtocol
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.support.uvicorn_server import APP, Serving, serving
from tests.support.wait import await_until


class Taker(asyncio.Protocol):
    """Takes over a transport, and keeps what comes."""

    def __init__(self) -> None:
        self.received = b""
        self.is_lost = False

    def data_received(self, data: bytes) -> None:
        self.received += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True


@contextlib.asynccontextmanager
async def handing_off() -> AsyncIterator[tuple[Serving, asyncio.Event, list[tuple[Taker, HandedOff | None]]]]:
    """Serve an application that accepts, waits for the event, hands the transport to a ``Taker`` and returns."""
    go, taken = asyncio.Event(), list[tuple[Taker, HandedOff | None]]()

    async def take(websocket: WebSocket) -> None:
        await websocket.accept()
        await go.wait()
        taker = Taker()
        taken.append((taker, websocket.scope["extensions"][HAND_OFF](taker)))

    async with serving(Starlette(routes=[WebSocketRoute("/ws", take)])) as it:
        yield it, go, taken


@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_a_transport_is_handed_off(compression: str | None) -> None:
    """It outlives the application's return, reads for its new protocol, and uvicorn knows nothing of it any more."""
    async with handing_off() as (it, go, taken), it.follow(compression=compression) as client:
        go.set()
        await await_until("the application has returned", lambda: taken and not it.server.server_state.tasks)
        ((taker, handed),) = taken
        assert handed is not None
        assert not handed.transport.is_closing()
        assert handed.deflates is (compression is not None)
        assert it.server.server_state.connections == set()
        handed.transport.write(b"\x81\x0efrom the taker")
        assert await client.recv() == "from the taker"
        await client.send("to the taker")
        await await_until("it has come", lambda: taker.received)

        handed.transport.close()

        await await_until("it is lost", lambda: taker.is_lost)


async def test_who_speaks_early_is_not_handed_off() -> None:
    """A message that uvicorn has read already would be lost."""
    async with handing_off() as (it, go, taken), it.follow() as client:
        (followed,) = it.server.server_state.connections
        assert isinstance(followed, WebSocketProtocol)
        await client.send("early")
        await await_until("it has been read", lambda: not followed.queue.empty())

        go.set()
        await await_until("it was tried", lambda: taken)

        assert taken[0][1] is None


async def test_who_has_gone_is_not_handed_off() -> None:
    """There is nothing left to take over."""
    async with handing_off() as (it, go, taken), it.follow() as client:
        client.transport.abort()
        await await_until("it is lost", lambda: not it.server.server_state.connections)

        go.set()
        await await_until("it was tried", lambda: taken)

        assert taken[0][1] is None


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_nothing_is_left_of_a_handshake(loop_factory: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """No HTTP protocol object of a WebSocket stays, even without garbage collection, on either event loop."""

    async def live_while_20_follow() -> tuple[int, int, int]:
        async with serving(APP) as it, contextlib.AsyncExitStack() as clients:
            for _ in range(20):
                client = await clients.enter_async_context(it.follow())
                await client.recv()
            return it.live(WebSocketProtocol), it.live(HttpToolsProtocol), len(it.arrivals)

    gc.collect()
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            assert runner.run(live_while_20_follow()) == (20, 0, 0)
    finally:
        gc.enable()
