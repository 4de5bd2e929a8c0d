"""A server of ``uvicorn_parts`` that sweeps by the test's clock, and counts what it cuts off."""

import asyncio
import contextlib
import dataclasses
import functools
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import uvicorn
import websockets.asyncio.client
from reportcast.service.arrivals import Arrivals, Cut
from reportcast.service.http import listen
from reportcast.service.uvicorn_parts import HttpProtocol, Server, WebSocketProtocol
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from tests.support.wait import await_until

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
UNREAD_S = 30.0
TIMEOUT_S = 10.0


class Clock:
    """Monotonic seconds that a test sets."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@dataclasses.dataclass
class Serving:
    """A server that serves; ``received`` is what its HTTP got, ``cuts`` what it has cut off."""

    port: int
    server: Server
    arrivals: Arrivals
    clock: Clock
    stop: asyncio.Event
    cuts: list[Cut]
    received: bytearray

    async def open(self, sent: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect, and send something that is no whole request."""
        before = len(self.arrivals)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        await await_until("the connection is there", lambda: len(self.arrivals) > before)
        await self.send(writer, sent)
        return reader, writer

    async def send(self, writer: asyncio.StreamWriter, sent: bytes) -> None:
        """Send; return when the server has read it."""
        before = len(self.received)
        writer.write(sent)
        await await_until("it has come", lambda: len(self.received) == before + len(sent))

    def pass_time(self, seconds: float) -> None:
        """Let so much time have passed, and the sweep be due."""
        self.clock.now_s += seconds
        self.arrivals.sweep()

    def follow(self, **options: Any) -> websockets.asyncio.client.connect:
        """Connect a WebSocket client."""
        return websockets.asyncio.client.connect(f"ws://127.0.0.1:{self.port}/ws", **options)

    def live(self, kind: type[Any]) -> int:
        """Count the server's objects of a kind, also those that only a collection would find."""
        return sum(isinstance(each, kind) for each in gc.get_objects())


async def no_drain() -> None:
    """Drain nothing."""


@contextlib.asynccontextmanager
async def serving(
    app: ASGIApp, max_descriptor: int = 1_000_000, drain: Callable[[], Awaitable[None]] = no_drain
) -> AsyncIterator[Serving]:
    """Run a server to the end of the block; it sweeps by the test's clock."""
    clock, cuts, received, stop, listener = Clock(), list[Cut](), bytearray(), asyncio.Event(), listen("127.0.0.1", 0)
    arrivals = Arrivals(TIMEOUT_S, UNREAD_S, max_descriptor, cuts.append, clock)

    class Observed(HttpProtocol):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            received.extend(data)

    http = cast(type[asyncio.Protocol], functools.partial(Observed, arrivals))
    config = uvicorn.Config(app, http=http, ws=WebSocketProtocol, lifespan="off", log_config=None)
    server = Server(config, stop, drain, arrivals)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listener]))
        await await_until("it has started", lambda: server.started)
        yield Serving(listener.getsockname()[1], server, arrivals, clock, stop, cuts, received)
        stop.set()


async def hello(request: Request) -> Response:
    """Answer at once, whatever is sent."""
    return PlainTextResponse("hello")


async def follow(websocket: WebSocket) -> None:
    """Say one word, then wait for the end."""
    await websocket.accept()
    await websocket.send_text("hello")
    with contextlib.suppress(KeyError):
        while await websocket.receive_text():
            pass


APP = Starlette(routes=[Route("/", hello, methods=["GET", "POST"]), WebSocketRoute("/ws", follow)])


async def read_answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Give status line and body of an answer of known length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    return head.split(b"\r\n")[0], await reader.readexactly(int(length.split(b":")[1]))


async def read_rest(reader: asyncio.StreamReader) -> bytes:
    """Give what comes until the connection ends; a reset ends it, too."""
    with contextlib.suppress(ConnectionError):
        return await reader.read()
    return b""
