"""Requests that are held outside of the application, and answered later."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import cast

from reportcast.service.uvicorn_parts import HOLD, HeldRequest, HttpProtocol
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from tests.support.uvicorn_server import HEAD, Serving, read_answer, serving
from tests.support.wait import await_until


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
