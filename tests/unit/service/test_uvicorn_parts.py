"""What uvicorn_parts takes for granted of uvicorn and websockets: attribute by attribute, and by what it comes to."""

import asyncio
import contextlib
import dataclasses
import functools
import gc
import importlib.metadata
import inspect
import json
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import httptools
import pytest
import uvicorn
import uvloop
import websockets.asyncio.client
import websockets.exceptions
from reportcast.service.arrivals import Arrivals, Cut
from reportcast.service.http import listen
from reportcast.service.sockets import unsent_bytes
from reportcast.service.uvicorn_parts import (
    HAND_OFF,
    HOLD,
    MAX_HEAD_BYTES,
    HandedOff,
    HeldRequest,
    HttpProtocol,
    Server,
    WebSocketProtocol,
)
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.server import ServerProtocol

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


def test_the_minor_version_is_the_pinned_one() -> None:
    """Another one has to be looked at first."""
    assert importlib.metadata.version("uvicorn").split(".")[:2] == ["0", "54"]


@pytest.mark.parametrize(
    ("ours", "base", "names"),
    [
        (Server, uvicorn.Server, "serve main_loop shutdown capture_signals"),
        (
            HttpProtocol,
            HttpToolsProtocol,
            "connection_made connection_lost data_received on_message_begin on_headers_complete on_body "
            "on_message_complete handle_websocket_upgrade",
        ),
        (WebSocketProtocol, WebSocketsSansIOProtocol, "handle_connect send"),
    ],
)
def test_what_is_overridden_is_there(ours: type, base: type, names: str) -> None:
    """With the same parameters; nothing new goes by a name of uvicorn's."""
    public = {name for name in vars(ours) if not name.startswith("_")}
    for name in names.split():
        mine, theirs = inspect.signature(getattr(ours, name)), inspect.signature(getattr(base, name))
        assert list(mine.parameters) == list(theirs.parameters)

    assert {name for name in public if hasattr(base, name)} == set(names.split())
    assert not [
        name
        for name in ("_arrivals", "_head_bytes", "_exchange", "_cut", "_hand_off", "_hold", "_let_go", "_on_lost")
        if hasattr(base, name)
    ]


async def test_the_attributes_that_are_used_are_there() -> None:
    """Of each class, as it is before anything happens."""
    async with serving(APP) as it:
        config, state = it.server.config, it.server.server_state
        http = HttpProtocol(it.arrivals, config=config, server_state=state, app_state={})
        followed = WebSocketProtocol(config=config, server_state=state, app_state={})

        assert len(it.server.servers) == 1
        assert inspect.iscoroutinefunction(it.server.on_tick)
        assert isinstance(http.parser, httptools.HttpRequestParser)
        assert [http.cycle, len(http.pipeline), http.transport] == list[object]([None, 0, None])
        assert isinstance(followed.conn, ServerProtocol)
        assert followed.queue.empty()
        assert followed.connections is http.connections is state.connections
        assert [followed.transport, followed.close_sent, followed.handshake_complete] == list[object](
            [None, False, False]
        )
        (deflate,) = followed.conn.available_extensions or []
        assert isinstance(deflate, ServerPerMessageDeflateFactory)
        assert followed.conn.extensions == []
        followed.stop_keepalive()
    names = inspect.signature(RequestResponseCycle).parameters.keys() | RequestResponseCycle.__init__.__code__.co_names
    assert {"more_body", "response_started", "response_complete", "disconnected"} <= set(names)


async def test_it_stops_when_told_and_drains_first() -> None:
    """No one is accepted while it drains, and who is connected is closed only then, with 1012."""
    draining, drained = asyncio.Event(), asyncio.Event()

    async def drain() -> None:
        draining.set()
        await drained.wait()

    async with serving(APP, drain=drain) as it, it.follow() as client:
        assert await client.recv() == "hello"
        it.stop.set()
        await draining.wait()
        with pytest.raises(OSError, match="Connect"):
            await asyncio.open_connection("127.0.0.1", it.port)
        await client.send("still here")
        await (await client.ping())

        drained.set()

        with pytest.raises(websockets.exceptions.ConnectionClosed):
            await client.recv()
        assert client.close_code == 1012


async def test_the_signals_are_left_alone() -> None:
    """Those of the process stay in place while it serves."""
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    async with serving(APP):
        assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


async def test_answers_have_a_date() -> None:
    """The tick sees to it."""
    async with serving(APP) as it:
        await it.server.on_tick(0)
        reader, writer = await it.open()
        writer.write(HEAD + b"Connection: close\r\n\r\n")

        assert b"\r\ndate: " in await reader.read()
        writer.close()


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


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"GET / HT", id="line"),
        pytest.param(HEAD, id="headers"),
        pytest.param(b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", id="handshake"),
    ],
)
async def test_a_slow_request_gets_408(sent: bytes) -> None:
    """However far it has come, and though it goes on coming; a second before its time it is still waited for."""
    async with serving(APP) as it:
        reader, writer = await it.open(sent[:4])
        it.pass_time(TIMEOUT_S - 1)
        assert it.cuts == []
        await it.send(writer, sent[4:])

        it.pass_time(1)

        status, body = await read_answer(reader)
        assert status == b"HTTP/1.1 408 Request Timeout"
        assert "not come whole" in json.loads(body)["error"]
        assert await read_rest(reader) == b""
        assert it.cuts == [Cut.TIMEOUT]
        writer.close()


async def test_a_slow_body_gets_408() -> None:
    """While the application still waits for it; what it answers then goes nowhere."""
    answered = asyncio.Event()

    async def echo(request: Request) -> Response:
        with contextlib.suppress(ClientDisconnect):
            await request.body()
        answered.set()
        return PlainTextResponse("too late")

    async with serving(Starlette(routes=[Route("/", echo, methods=["POST"])])) as it:
        reader, writer = await it.open(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")

        it.pass_time(TIMEOUT_S)

        assert (await read_answer(reader))[0] == b"HTTP/1.1 408 Request Timeout"
        await answered.wait()
        assert await read_rest(reader) == b""
        writer.close()


async def test_a_body_that_nobody_reads_ends_too() -> None:
    """The answer has gone out long ago, and no 408 follows it; a body is no head, however long."""
    async with serving(APP) as it:
        reader, writer = await it.open(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n")
        assert (await read_answer(reader))[1] == b"hello"
        await it.send(writer, b"x" * 2 * MAX_HEAD_BYTES)
        assert it.cuts == []

        it.pass_time(TIMEOUT_S)

        assert await read_rest(reader) == b""
        assert it.cuts == [Cut.TIMEOUT]
        writer.close()


async def test_a_connection_without_a_request_is_closed_in_silence() -> None:
    """A browser connects ahead of time: it would take a 408 for the answer to its next request."""
    async with serving(APP) as it:
        reader, writer = await it.open()

        it.pass_time(TIMEOUT_S)

        assert await read_rest(reader) == b""
        assert it.cuts == [Cut.TIMEOUT]
        writer.close()


@pytest.mark.parametrize("begun", [b"\r\n", b"GET"], ids=["line-feed", "request"])
async def test_the_next_request_is_waited_for_from_its_first_byte(begun: bytes) -> None:
    """On a connection that is kept alive; also what is no request yet, but ends uvicorn's own time-out."""
    async with serving(APP) as it:
        reader, writer = await it.open(b"G")
        await it.send(writer, HEAD[1:] + b"\r\n")
        assert (await read_answer(reader))[1] == b"hello"
        it.pass_time(2 * TIMEOUT_S)
        assert it.cuts == []
        await it.send(writer, begun)
        it.pass_time(TIMEOUT_S - 1)
        assert it.cuts == []

        it.pass_time(1)

        assert (await read_answer(reader))[0] == b"HTTP/1.1 408 Request Timeout"
        writer.close()


async def test_a_request_that_came_with_the_one_before_is_waited_for() -> None:
    """From when it began; what came whole is answered."""
    async with serving(APP) as it:
        reader, writer = await it.open(b"G")
        await it.send(writer, HEAD[1:] + b"\r\n" + HEAD)
        assert (await read_answer(reader))[1] == b"hello"

        it.pass_time(TIMEOUT_S)

        assert (await read_answer(reader))[0] == b"HTTP/1.1 408 Request Timeout"
        writer.close()


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(b"\r\n", id="stray-bytes"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf", id="next-request"),
    ],
)
async def test_an_answer_on_its_way_is_not_cut_off(after: bytes) -> None:
    """Whatever else was sent meanwhile: it is waited for once more."""
    go = asyncio.Event()

    async def slow(request: Request) -> Response:
        await go.wait()
        return PlainTextResponse("at last")

    async with serving(Starlette(routes=[Route("/", slow, methods=["GET", "POST"])])) as it:
        reader, writer = await it.open(b"G")
        await it.send(writer, HEAD[1:] + b"\r\n" + after)

        it.pass_time(TIMEOUT_S)
        it.pass_time(TIMEOUT_S - 1)

        assert it.cuts == []
        go.set()
        assert (await read_answer(reader))[1] == b"at last"
        writer.close()


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        pytest.param(HEAD, b"X-More: x\r\n" * 1000, id="headers"),
        pytest.param(HEAD + b"X-More: ", b"x" * 10_000, id="one-header"),
        pytest.param(b"GET /", b"x" * 10_000, id="line"),
        pytest.param(b"", b"\r\n" * 5_000, id="nothing"),
    ],
)
async def test_a_head_without_end_gets_431(begin: bytes, piece: bytes) -> None:
    """Beyond 64 KiB, before it can fill the memory."""
    async with serving(APP) as it:
        reader, writer = await it.open(begin)
        sent = 0
        while not it.cuts:
            await it.send(writer, piece)
            sent += len(piece)

        assert MAX_HEAD_BYTES - len(begin) < sent <= MAX_HEAD_BYTES + len(piece)
        assert it.cuts == [Cut.HEADERS]
        assert (await read_answer(reader))[0] == b"HTTP/1.1 431 Request Header Fields Too Large"
        writer.close()


async def test_trailers_count_as_head() -> None:
    """Those of a body in pieces, which uvicorn would add to the headers of a request already answered."""
    async with serving(APP) as it:
        start = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"
        reader, writer = await it.open(start)
        assert (await read_answer(reader))[1] == b"hello"
        while not it.cuts:
            await it.send(writer, b"X-More: x\r\n" * 1000)

        assert it.cuts == [Cut.HEADERS]
        assert await read_rest(reader) == b""
        writer.close()


async def test_requests_of_the_usual_size_are_answered_for_ever() -> None:
    """Each is counted for itself."""
    async with serving(APP) as it:
        reader, writer = await it.open(b"G")
        await it.send(writer, HEAD[1:] + b"\r\n")
        for _ in range(20):
            assert (await read_answer(reader))[1] == b"hello"
            await it.send(writer, HEAD + b"X-More: " + b"x" * 8000 + b"\r\n\r\n")
        assert it.cuts == []
        writer.close()


async def test_sockets_beyond_the_descriptors_are_dropped() -> None:
    """At once, by their number; those that are there stay, and one that goes makes room."""
    # The listener, then pairs: both ends are of this process. The next numbers need not follow on one another: what
    # other tests have opened may hold some of them.
    with contextlib.ExitStack() as probes:
        highest = max(probes.enter_context(socket.socket()).fileno() for _ in range(10))
    async with serving(APP, max_descriptor=highest) as it:
        kept = [await it.open() for _ in range(3)]

        while not it.cuts:
            reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
            kept.append((reader, writer))
            await await_until("it is kept or dropped", lambda: it.cuts or len(it.arrivals) == len(kept))

        assert it.cuts == [Cut.DESCRIPTORS]
        assert await read_rest(kept[-1][0]) == b""
        for _, writer in kept[1:]:
            writer.close()
        await await_until("they are gone", lambda: len(it.arrivals) == 1)
        again, writer = await it.open(b"G")
        await it.send(writer, HEAD[1:] + b"\r\n")
        assert (await read_answer(again))[1] == b"hello"
        kept[0][1].close()
        writer.close()


async def test_a_client_that_takes_nothing_of_its_answer_is_cut_off() -> None:
    """One that takes a little from time to time is not."""

    async def large(request: Request) -> Response:
        return Response(b"x" * 20_000_000)

    async with serving(Starlette(routes=[Route("/", large)])) as running:
        stuck, reading = [await asyncio.open_connection("127.0.0.1", running.port, limit=1024) for _ in range(2)]
        for _, writer in (stuck, reading):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        connections = running.server.server_state.connections
        await await_until("both are answered", lambda: sum(unsent_bytes(c.transport) > 0 for c in connections) == 2)
        for _ in range(4):
            running.arrivals.sweep_unread([cast(HttpProtocol, each) for each in connections])
            running.clock.now_s += UNREAD_S - 1
            await reading[0].readexactly(500_000)
        running.arrivals.sweep_unread([cast(HttpProtocol, each) for each in connections])

        await await_until("one is cut off", lambda: len(connections) == 1)
        assert running.cuts == [Cut.UNREAD]
        for _, writer in (stuck, reading):
            writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@contextlib.asynccontextmanager
async def holding(sent: bytes) -> AsyncIterator[tuple[Serving, HeldRequest, asyncio.StreamReader, list[str]]]:
    """Have a request held that was sent like this; give it, where its answer comes, and what is told of its loss."""
    held, lost = list[HeldRequest](), list[str]()

    async def hold(scope: Scope, receive: Receive, send: Send) -> None:
        request = scope["extensions"][HOLD](lambda: lost.append("lost"))
        if request is None:
            await PlainTextResponse("not held")(scope, receive, send)
        else:
            held.append(request)

    async with serving(hold) as it:
        reader, writer = await it.open(sent)
        await await_until("it is held", lambda: held)
        yield it, held[0], reader, lost
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_the_answer_of_a_held_request_is_of_its_own_time() -> None:
    """And not of the time when it was asked for."""
    async with holding(HEAD + b"\r\n") as (it, held, reader, _):
        it.server.server_state.default_headers = [(b"date", b"later")]
        held.answer(200, [("x-told", "once")], b"news")

        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\ndate: later\r\nx-told: once\r\ncontent-length: 4\r\n")
        assert await reader.readexactly(4) == b"news"


async def test_a_held_request_whose_client_has_gone() -> None:
    """Is told of, once; an answer goes nowhere."""
    async with holding(HEAD + b"Connection: close\r\n\r\n") as (it, held, _, lost):
        for connection in list(it.server.server_state.connections):
            cast(HttpProtocol, connection).transport.abort()
        await await_until("it is told", lambda: lost)

        held.answer(200, [], b"news")
        assert lost == ["lost"]


async def test_a_request_is_not_held_once_another_has_begun() -> None:
    """Whatever has come of that one is kept, and it is answered, too."""
    app_is_asked, held = asyncio.Event(), list[object]()

    async def hold_late(scope: Scope, receive: Receive, send: Send) -> None:
        await app_is_asked.wait()
        if not held:
            held.append(scope["extensions"][HOLD](lambda: None))
        await PlainTextResponse("not held")(scope, receive, send)

    async with serving(hold_late) as it:
        reader, writer = await it.open(HEAD + b"\r\n" + HEAD[:20])
        app_is_asked.set()
        assert (await read_answer(reader))[1] == b"not held"
        writer.write(HEAD[20:] + b"\r\n")
        assert (await read_answer(reader))[1] == b"not held"
        assert held == [None]
        writer.close()
        await writer.wait_closed()
