"""What the client makes of what a gateway should never say, and of how connections end."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest
import reportcast_client.poll
from reportcast_client import (
    Blocked,
    Changed,
    ClosedForGood,
    Connected,
    Corrupt,
    Disconnected,
    Feed,
    Problem,
    Report,
    Timing,
    Transport,
    connect,
)
from websockets.utils import accept_key

from tests.support.scripted import ASK, BODIES, HELLO, STAY, delta, following, scripted_gateway, snapshot
from tests.support.wait import await_until

QUICK = Timing(base_s=0.01, cap_s=0.02, open_s=5.0)
STATUS = (
    '{"type":"status","channel":"audit","stale":false,"broker":{"connected":true},'
    '"source":null,"reasons":[],"timestamp":"","tag":"1a2b3c4d"}'
)


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    """Run a server until its clients have left after the end of the block; give its address."""
    present: set[asyncio.StreamWriter] = set()

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        present.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            await serve(reader, writer)
        writer.close()
        present.discard(writer)

    async with await asyncio.start_server(serve_one, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await await_until("all have left", lambda: not present)


class HttpScript:
    """
    Answers one request after the other, each on a connection of its own; those after the last one wait for ever.

    Attributes:
        asked: Their heads.
    """

    def __init__(self, answers: Sequence[str]) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        if len(self.asked) <= len(self._answers):
            writer.write(b"HTTP/1.1 " + self._answers[len(self.asked) - 1].encode())
        await reader.read()  # until the client leaves


def stream(*frames: str) -> str:
    """Give an event stream that goes on."""
    return "200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + "".join(f"data: {frame}\n\n" for frame in frames)


def answer(*frames: str) -> str:
    """Give the answer to a poll."""
    body = f"[{','.join(frames)}]"
    return f"200 OK\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}"


@contextlib.asynccontextmanager
async def answering(*answers: str) -> AsyncIterator[tuple[HttpScript, str]]:
    """Run a server that answers so."""
    script = HttpScript(answers)
    async with serving(script.serve) as url:
        yield script, url


def by(transport: Transport, url: str) -> connect:
    return connect(url, "audit", transports=[transport], proxy=False, timing=QUICK)


async def test_a_gap_on_a_websocket() -> None:
    """Is asked about, once, with the position; nothing is applied across it."""
    script = [HELLO, following(1), snapshot(1), delta(3), delta(3), ASK, following(3, True), delta(2), delta(3), STAY]
    async with scripted_gateway(script) as (gateway, host), by(Transport.WEBSOCKET, f"http://{host}") as feed:
        await await_until("it has all", lambda: feed.report and feed.report.body == BODIES[3])

        assert gateway.asked[0] == "/ws?channel=audit"
        assert json.loads(gateway.asked[1]) == {"type": "follow", "channel": "audit", "epoch": "e", "offset": 1}
        assert len(gateway.asked) == 2


@pytest.mark.parametrize(
    ("wrong", "position"),
    [(delta(3), "e:1"), (delta(2, base=3), None), (delta(2, change=9), None)],
    ids=["a gap", "another base", "another report"],
)
async def test_what_does_not_fit_in_a_stream(wrong: str, position: str | None) -> None:
    """Has the stream asked for again: from the position, or if that leads nowhere from the beginning."""
    first = stream(HELLO, following(1), snapshot(1), wrong)
    second = stream(HELLO, following(3, position is not None), *([delta(2), delta(3)] if position else [snapshot(3)]))
    async with answering(first, second) as (script, url), by(Transport.EVENTS, url) as feed:
        await await_until("it has all", lambda: feed.report and feed.report.body == BODIES[3])

    assert "last-event-id" not in script.asked[0].lower()
    assert (f"Last-Event-ID: {position}\r\n" in script.asked[1]) == (position is not None)


async def test_a_gap_between_polls() -> None:
    """Is asked about by the next one, which says what it was told."""
    first = answer(following(1), snapshot(1), delta(3), STATUS)
    second = answer(following(3, True), delta(2), delta(3), STATUS)
    async with answering(first, second) as (script, url), by(Transport.POLL, url) as feed:
        await await_until("it has all", lambda: feed.report and feed.report.body == BODIES[3])
        await await_until("it asks on", lambda: len(script.asked) == 3)

    paths = [head.split()[1] for head in script.asked]
    assert paths[0] == "/audit?channel=audit&since=&wait=0"
    assert paths[1] == "/audit?channel=audit&since=e:1&wait=30&told=1a2b3c4d"
    assert paths[2] == "/audit?channel=audit&since=e:3&wait=30&told=1a2b3c4d"


async def test_who_answers_polls_with_nothing_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, again and again, is not asked without pause."""
    monkeypatch.setattr(reportcast_client.poll, "PAUSE_S", 0.3)
    clock = asyncio.get_running_loop().time
    async with answering(*[answer(following(1), snapshot(1))] * 9) as (script, url), by(Transport.POLL, url):
        await await_until("it has asked twice", lambda: len(script.asked) >= 2)
        began_s = clock()
        await await_until("it has asked four times", lambda: len(script.asked) >= 4)

    assert clock() - began_s >= 0.4


async def test_polls_that_find_nothing_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """Go on; what comes later is taken."""
    monkeypatch.setattr(reportcast_client.poll, "PAUSE_S", 0.1)
    nothing = "204 No Content\r\nConnection: close\r\n\r\n"
    answers = [answer(following(1), snapshot(1)), nothing, nothing, answer(following(2, True), delta(2))]
    async with answering(*answers) as (_, url), by(Transport.POLL, url) as feed:
        bodies = [report.body async for report in _first(2, feed)]

    assert bodies == [BODIES[1], BODIES[2]]


async def _first(count: int, feed: Feed) -> AsyncIterator[Report]:
    async for report in feed:
        yield report
        count -= 1
        if not count:
            return


@pytest.mark.parametrize(
    ("transport", "given", "reason"),
    [
        pytest.param(Transport.EVENTS, "200 OK\r\nContent-Type: text/html\r\n\r\n", "sends text/html", id="a page"),
        pytest.param(
            *(Transport.EVENTS, "200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\ndata"),
            "does not get through",
            id="not compressed",
        ),
        pytest.param(
            *(Transport.EVENTS, "200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: br, gzip\r\n\r\n"),
            "which nobody asked for",
            id="compressed otherwise",
        ),
        pytest.param(
            *(Transport.POLL, "200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: 1\r\n\r\nx"),
            "which nobody asked for",
            id="compressed twice",
        ),
        pytest.param(
            *(Transport.POLL, "503 No\r\nContent-Encoding: gzip, gzip\r\nContent-Length: 1\r\n\r\nx"),
            "refused with 503",
            id="refused, and compressed twice",
        ),
        *(
            pytest.param(
                *(way, f"302 Found\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n", "refused with 302"),
                id=f"elsewhere, {where}, by {way}",
            )
            for way in Transport
            for where in ("http://127.0.0.1:1/login", "ws://127.0.0.1:1/ws")
        ),
        pytest.param(
            Transport.POLL, '200 OK\r\nContent-Length: 12\r\n\r\n{"repos":[]}', "no array of frames", id="a report"
        ),
        pytest.param(Transport.POLL, "no HTTP\r\n\r\n", "the connection ended", id="no HTTP"),
        pytest.param(Transport.WEBSOCKET, "no HTTP\r\n\r\n", "does not get through", id="no WebSocket"),
        pytest.param(
            *(Transport.POLL, f"500 No\r\nContent-Length: 99999\r\n\r\n{'x' * 99_999}"), "refused with 500", id="much"
        ),
    ],
)
async def test_what_is_no_gateway(transport: Transport, given: str, reason: str) -> None:
    """Is said, and tried again."""
    async with answering(given) as (script, url), by(transport, url) as feed:
        left = await anext(feed.events())
        await await_until("it has come back", lambda: len(script.asked) == 2)

    assert isinstance(left, Disconnected)
    assert reason in str(left.reason)


@pytest.mark.parametrize("transport", list(Transport))
@pytest.mark.parametrize("proxy", ["127.0.0.1:3128", "socks5h://127.0.0.1:1", "pigeon://h"])
async def test_a_proxy_that_is_none(transport: Transport, proxy: str) -> None:
    """Is an interruption that says so, whatever the libraries make of it."""
    async with connect("http://127.0.0.1:1", transports=[transport], proxy=proxy, timing=QUICK) as feed:
        events = feed.events()
        left = [await anext(events), await anext(events)]

    assert all(isinstance(event, Disconnected) and event.reason for event in left)


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


async def test_a_filter_that_is_too_long_for_a_message() -> None:
    """Is said by the address of another connection, where the first one missed something."""
    names = [f"{number:02}-{'x' * 20}" for number in range(60)]
    scripts = [[HELLO, following(1), snapshot(1), delta(3), STAY], [HELLO, following(3), snapshot(3), STAY]]
    async with (
        scripted_gateway(*scripts) as (gateway, host),
        connect(f"http://{host}", "audit", names=names, proxy=False, timing=QUICK) as feed,
    ):
        await await_until("it has all", lambda: feed.report and feed.report.body == BODIES[3])

    assert gateway.asked[1].startswith("/ws?channel=audit&epoch=e&offset=1&name=00-x")
    assert gateway.left == [1000, 1000]


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


async def test_a_wish_that_could_not_be_met() -> None:
    """Is told, with the rest of it; and how many changes a snapshot stands for."""
    problem = '{"type":"error","code":"too_many","message":"64 different filters are in use"}'
    skipped = '{"type":"skipped","channel":"audit","from":1,"to":3,"merged":2}'
    script = [HELLO, problem, following(1), snapshot(1), skipped, snapshot(3), STAY]
    async with scripted_gateway(script) as (_, host), by(Transport.WEBSOCKET, f"http://{host}") as feed:
        events = feed.events()
        found = [await anext(events) for _ in range(4)]

    assert found[1] == Problem("too_many", "64 different filters are in use")
    assert [(event.report.position.offset, event.skipped) for event in found[2:]] == [(1, 0), (3, 1)]  # type: ignore[union-attr]
