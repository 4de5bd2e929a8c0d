"""What uvicorn_parts makes of uvicorn's end, its signals and its tick."""

import asyncio
import signal

import pytest
import websockets.exceptions

from tests.support.uvicorn_server import APP, HEAD, serving


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
