"""What ends a connection of the client's, what does not, and how the client comes back."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from reportcast_client import (
    Blocked,
    Changed,
    ClosedForGood,
    Connected,
    Corrupt,
    Disconnected,
    Timing,
    Transport,
    connect,
)
from websockets.utils import accept_key

from tests.support.feeds import QUICK, by
from tests.support.scripted import BODIES, HELLO, STAY, following, scripted_gateway, snapshot
from tests.support.scripted_http import answer, answering, serving, stream
from tests.support.wait import await_until


async def _trickle(writer: asyncio.StreamWriter, text: bytes) -> None:
    """Send eight pieces, each well within the patience of who waits, all together not."""
    step = -(-len(text) // 8)
    for at in range(0, len(text), step):
        writer.write(text[at : at + step])
        await asyncio.sleep(0.08)


async def _serve_slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    hello, report = HELLO.replace(":30}", ":0.2}"), snapshot(1)
    if key := re.search(r"Sec-WebSocket-Key: (\S+)", head):
        accept = f"Sec-WebSocket-Accept: {accept_key(key[1])}\r\nSec-WebSocket-Protocol: reportcast.v1\r\n\r\n"
        writer.write(f"HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{accept}".encode())
        frames = (b"\x81\x7e" + len(text).to_bytes(2) + text.encode() for text in (hello, following(1), report))
        writer.write(next(frames) + next(frames))
        await _trickle(writer, next(frames))
    elif "/events" in head:
        writer.write(b"HTTP/1.1 " + stream(hello, following(1)).encode())
        await _trickle(writer, f"data: {report}\n\n".encode())
    else:
        await _trickle(writer, b"HTTP/1.1 " + answer(following(1), report).encode())
    await reader.read()


@pytest.mark.parametrize("transport", list(Transport))
async def test_a_report_that_comes_slowly(transport: Transport) -> None:
    """Comes: who still sends is not silent, be it one frame for longer than the gateway's rhythm."""
    timing = Timing(base_s=0.01, cap_s=0.02, open_s=0.4)
    async with (
        serving(_serve_slowly) as url,
        connect(url, "audit", transports=[transport], proxy=False, timing=timing) as feed,
    ):
        kinds = [type(event) async for event in _until(feed.events(), Changed)]

    assert kinds == [Connected, Changed]


@pytest.mark.parametrize("heartbeat_s", ["0", "-1", "1e-300"])
async def test_a_heartbeat_that_is_none(heartbeat_s: str) -> None:
    """Leaves time for a report."""
    script = [HELLO.replace(":30}", f":{heartbeat_s}}}"), following(1), snapshot(1), STAY]
    async with scripted_gateway(script) as (_, host), by(Transport.WEBSOCKET, f"http://{host}") as feed:
        events = [event async for event in _until(feed.events(), Disconnected)]

    assert [type(event) for event in events] == [Connected, Changed, Disconnected]
    assert "nothing came for 0.2 s" in str(events[-1].reason)


@pytest.mark.parametrize("transport", list(Transport))
async def test_a_frame_that_cannot_be_read(transport: Transport) -> None:
    """Is told, and tried again: a report that is nested too deeply, or bytes that are no text."""
    deep = snapshot(1).replace(BODIES[1].decode(), "[" * 2000 + "]" * 2000)
    if transport is Transport.WEBSOCKET:
        async with scripted_gateway([HELLO, deep, STAY]) as (_, host), by(transport, f"http://{host}") as feed:
            *_, left = [event async for event in _until(feed.events(), Disconnected)]
    else:
        given = stream(HELLO, deep) if transport is Transport.EVENTS else answer(deep)
        async with answering(given) as (_, url), by(transport, url) as feed:
            *_, left = [event async for event in _until(feed.events(), Disconnected)]

    assert isinstance(left.reason, Blocked)


async def test_the_channel_once_it_is_known() -> None:
    """Is asked for, though nobody named it: of a report that was kept, and of what came first."""
    dns = [HELLO, following(1).replace("audit", "dns"), snapshot(1, "dns")]
    async with scripted_gateway(dns, [STAY], [STAY], close=(1012, '{"retry_after_ms":1}')) as (gateway, host):
        async with connect(f"http://{host}", proxy=False, timing=QUICK) as feed:
            kept = await anext(aiter(feed))
            await await_until("it has come back", lambda: len(gateway.asked) == 2)
        async with connect(f"http://{host}", report=kept, proxy=False, timing=QUICK):
            await await_until("it goes on", lambda: len(gateway.asked) == 3)

    assert gateway.asked == ["/ws", *["/ws?channel=dns&epoch=e&offset=1"] * 2]


async def test_the_end_is_no_error() -> None:
    """For the gateway, whose log would say so."""
    async with scripted_gateway([HELLO, following(1), snapshot(1), STAY]) as (gateway, host):
        async with by(Transport.WEBSOCKET, f"http://{host}") as feed:
            await anext(aiter(feed))
        await await_until("it has left", lambda: gateway.left)

    assert gateway.left == [1000]


async def test_a_report_that_is_not_what_its_digest_says() -> None:
    """Is never given; the connection is given up, and the whole asked for."""
    wrong = snapshot(2).replace('"change": 2', '"change":2').replace('"change":2', '"change":7')
    scripts = [[HELLO, following(1), snapshot(1), wrong, STAY], [HELLO, following(3), snapshot(3), STAY]]
    async with scripted_gateway(*scripts) as (gateway, host), by(Transport.WEBSOCKET, f"ws://{host}/ws") as feed:
        reports, events = aiter(feed), feed.events()
        found = [(await anext(reports)).body, (await anext(reports)).body]

        assert found == [BODIES[1], BODIES[3]]
        assert gateway.asked[1] == "/ws?channel=audit"
        reasons = [event.reason async for event in _until(events, Disconnected) if isinstance(event, Disconnected)]
        assert isinstance(reasons[0], Corrupt)
        assert reasons[0].position.offset == 2


async def _until(events: AsyncIterator[Any], kind: type) -> AsyncIterator[Any]:
    while not isinstance(event := await anext(events), kind):
        yield event
    yield event


async def _left(close: tuple[int, str], *frames: str) -> Disconnected:
    async with (
        scripted_gateway([HELLO, following(1), snapshot(1), *frames], close=close) as (_, host),
        by(Transport.WEBSOCKET, f"http://{host}") as feed,
    ):
        *_, left = [event async for event in _until(feed.events(), Disconnected)]
        assert isinstance(left, Disconnected)
        return left


@pytest.mark.parametrize(
    ("close", "frames"),
    [
        pytest.param((1012, '{"retry_after_ms":250}'), [], id="by the reason"),
        pytest.param((1012, ""), ['{"type":"drain","retry_after_ms":250}'], id="by a frame"),
    ],
)
async def test_the_time_to_come_back(close: tuple[int, str], frames: list[str]) -> None:
    """Is what the gateway says, exactly: it spreads its clients itself."""
    assert (await _left(close, *frames)).retry_in_s == 0.25


@pytest.mark.parametrize(
    "close",
    [
        (1013, "full"),
        (1012, "[7]"),
        (1012, '{"retry_after_ms":"x"}'),
        (1012, '{"retry_after_ms":NaN}'),
        (1012, '{"retry_after_ms":Infinity}'),
        (1000, ""),
    ],
)
async def test_what_is_no_time(close: tuple[int, str]) -> None:
    """Leaves it to the backoff."""
    left = await _left(close)

    assert left.retry_in_s <= QUICK.cap_s
    assert str(close[0]) in str(left.reason)


@pytest.mark.parametrize("code", [1002, 1008, 3500, 4500])
async def test_not_to_come_back(code: int) -> None:
    """Is what some close codes say; what came before is given first."""
    async with (
        scripted_gateway([HELLO, following(1), snapshot(1)], close=(code, "go away")) as (gateway, host),
        by(Transport.WEBSOCKET, f"http://{host}") as feed,
    ):
        reports = aiter(feed)
        assert (await anext(reports)).body == BODIES[1]
        with pytest.raises(ClosedForGood, match=rf"{code} \(go away\)") as raised:
            await anext(reports)
        with pytest.raises(ClosedForGood):
            await anext(reports)

    assert (raised.value.code, len(gateway.asked)) == (code, 1)
