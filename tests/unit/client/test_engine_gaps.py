"""What the client makes of changes that do not fit, by each transport."""

import json

import pytest
from reportcast_client import Transport, connect

from tests.support.feeds import QUICK, by
from tests.support.scripted import ASK, BODIES, HELLO, STAY, delta, following, scripted_gateway, snapshot
from tests.support.scripted_http import answer, answering, stream
from tests.support.wait import await_until

STATUS = (
    '{"type":"status","channel":"audit","stale":false,"broker":{"connected":true},'
    '"source":null,"reasons":[],"timestamp":"","tag":"1a2b3c4d"}'
)


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
