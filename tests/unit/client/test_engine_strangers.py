"""What the client makes of what is no gateway or no proxy, and of a gateway that cannot do what it wishes."""

import pytest
from reportcast_client import Disconnected, Problem, Transport, connect

from tests.support.feeds import QUICK, by
from tests.support.scripted import HELLO, STAY, following, scripted_gateway, snapshot
from tests.support.scripted_http import answering
from tests.support.wait import await_until


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
