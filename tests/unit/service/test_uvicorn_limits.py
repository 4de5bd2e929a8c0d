"""How large a request's head may be, and how many sockets there may be."""

import asyncio
import contextlib
import socket

import pytest
from reportcast.service.arrivals import Cut
from reportcast.service.uvicorn_parts import MAX_HEAD_BYTES

from tests.support.uvicorn_server import APP, HEAD, read_answer, read_rest, serving
from tests.support.wait import await_until


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
