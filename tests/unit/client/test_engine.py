"""What the client makes of what a gateway should never say, and of how connections end."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import reportcast_client.poll
from reportcast_client import ClosedForGood, Corrupt, Disconnected, Feed, Problem, Report, Timing, Transport, connect

from tests.support.scripted import ASK, BODIES, HELLO, STAY, delta, following, scripted_gateway, snapshot
from tests.support.wait import await_until

QUICK = Timing(base_s=0.01, cap_s=0.02, open_s=5.0)
STATUS = (
    '{"type":"status","channel":"audit","stale":false,"broker":{"connected":true},'
    '"source":null,"reasons":[],"timestamp":"","tag":"1a2b3c4d"}'
)


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
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
            if len(self.asked) <= len(self._answers):
                writer.write(b"HTTP/1.1 " + self._answers[len(self.asked) - 1].encode())
            await reader.read()  # until the client leaves
        writer.close()


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
    async with await asyncio.start_server(script.serve, "127.0.0.1", 0) as server:
        yield script, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


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


@pytest.mark.parametrize("close", [(1013, "full"), (1012, "[7]"), (1012, '{"retry_after_ms":"x"}'), (1000, "")])
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
