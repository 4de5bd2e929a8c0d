"""What the client makes of polls that are answered with nothing new."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import reportcast_client.poll
from reportcast_client import Feed, Report, Transport

from tests.support.feeds import by
from tests.support.scripted import BODIES, delta, following, snapshot
from tests.support.scripted_http import answer, answering
from tests.support.wait import await_until


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
