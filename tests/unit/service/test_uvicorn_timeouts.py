"""How long a request may take to come, and an answer to be taken."""

import asyncio
import contextlib
import json
from typing import cast

import pytest
from reportcast.service.arrivals import Cut
from reportcast.service.sockets import unsent_bytes
from reportcast.service.uvicorn_parts import MAX_HEAD_BYTES, HttpProtocol
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.support.uvicorn_server import APP, HEAD, TIMEOUT_S, UNREAD_S, read_answer, read_rest, serving
from tests.support.wait import await_until


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
