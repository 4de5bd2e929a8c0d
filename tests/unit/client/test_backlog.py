"""What waits for who iterates slowly."""

import datetime

from reportcast.contracts.position import Position
from reportcast_client.backlog import Backlog
from reportcast_client.errors import Lost
from reportcast_client.events import Changed, Connected, Disconnected, Event, Fares, Problem, Transport
from reportcast_client.frames import Broker, Status
from reportcast_client.report import Report

NOW = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)
UP = Connected(Transport.POLL, "http://h")
DOWN = Disconnected(Transport.POLL, "http://h", Lost("cut"), 1.0)


def changed(offset: int, skipped: int = 0, size: int = 10) -> Changed:
    report = Report("audit", Position("e", offset), "n", "d", NOW, NOW, (), b"x" * size)
    return Changed(report, b"{}", skipped)


def test_order() -> None:
    """Is kept."""
    backlog = Backlog()
    events: list[Event] = [UP, changed(1), DOWN, UP, changed(2)]
    for event in events:
        backlog.add(event)

    assert [backlog.take() for _ in events] == events
    assert not backlog


def test_too_many() -> None:
    """Become the newest change, which says for how many it stands, and the last of each other kind."""
    backlog = Backlog(max_events=6)
    for event in (UP, changed(1), changed(4, skipped=2), DOWN, Problem("too_many", "no"), changed(5), UP):
        backlog.add(event)

    left = [backlog.take() for _ in range(len(backlog))]

    assert left == [DOWN, Problem("too_many", "no"), Changed(changed(5).report, None, 4), UP]


def test_one_alone() -> None:
    """Says what it said."""
    backlog = Backlog(max_events=2)
    for event in (UP, changed(5, skipped=1), UP):
        backlog.add(event)

    assert backlog.take() == changed(5, skipped=1)


def test_too_much() -> None:
    """Is what large reports come to soon; one alone is always kept."""
    backlog = Backlog(max_bytes=25)
    backlog.add(changed(1, size=100))
    assert len(backlog) == 1
    backlog.add(changed(2))
    assert backlog.take() == Changed(changed(2).report, None, 1)

    for offset in (3, 4):
        backlog.add(changed(offset))
    assert len(backlog) == 2


def test_all_that_is_large() -> None:
    """Counts: how a channel fares, what was wrong with a wish, and what changed."""
    status = Status("audit", False, Broker(True), None, ())
    for large in (Fares(status, b"x" * 20), Problem("bad", "x" * 20), Changed(changed(1).report, b"x" * 20)):
        backlog = Backlog(max_bytes=30)
        for event in (large, UP, large, large):
            backlog.add(event)
        assert len(backlog) == 2
