"""What ``tail`` says of what happens."""

import datetime
import hashlib
import json
from typing import Any

import pytest
from reportcast.contracts.delta import diff
from reportcast.contracts.report import ReportKind
from reportcast_cli.telling import MAX_LINES, Telling
from reportcast_client import Changed, Connected, Disconnected, Event, Fares, Finding, Lost, Position, Problem, Report
from reportcast_client import Status as ClientStatus
from reportcast_client.events import Transport
from reportcast_client.frames import Broker

from tests.support.reports import MOMENT, audit

URL = "http://127.0.0.1:8080"
NOW = MOMENT + datetime.timedelta(milliseconds=8)


def report(offset: int, content: Any, channel: str = "audit", **more: Any) -> Report:
    """Give a report that was written at MOMENT."""
    body = json.dumps(content, separators=(",", ":")).encode()
    digest = hashlib.sha256(body).hexdigest()
    fields = {"findings": (), **more}
    return Report(channel, Position("e" * 16, offset), "r.json", digest, MOMENT, MOMENT, body=body, **fields)


def fares(*reasons: str, stale: bool = False) -> Fares:
    """Give how a channel fares."""
    return Fares(ClientStatus("audit", stale, Broker(not stale), None, reasons))


@pytest.fixture
def told() -> Any:
    """Give what tells of events, in plain lines without the time."""
    telling = Telling(tuple(Transport))

    def tell(*events: Event) -> list[str]:
        lines = [line.plain for event in events for line in telling.tell(event, NOW)]
        return [line.removeprefix("12:00:00.008  ") for line in lines]

    return tell


def test_what_stands_is_told_first(told: Any) -> None:
    """How many repositories are in which state, and what is odd."""
    repos = [{"name": "a", "status": "clean"}, {"name": "b", "status": "dirty"}, {"name": "c", "status": "clean"}]
    finding = Finding("time_future", "report time is in the future")

    assert told(Changed(report(4, audit(1, repos=repos), findings=(finding,)))) == [
        "audit stands at 4: 3 repositories, 2 clean, 1 dirty  8 ms after the file's change",
        "              time_future: report time is in the future",
    ]


def test_a_change_is_told_with_its_age_and_hops(told: Any) -> None:
    """By the delta, or where none came, by comparing; with what it stands for."""
    before = report(1, audit(1, repos=[{"name": "a", "status": "clean"}]))
    after = report(2, audit(1, repos=[{"name": "a", "status": "dirty"}]), hops_ms={"detect": 3.14, "relay": 0.84})
    delta = diff(before.body, after.body, ReportKind.AUDIT)
    told(Changed(before))

    by_delta = told(Changed(after, delta))
    told(Changed(before))
    compared = told(Changed(after, None, skipped=2))

    assert by_delta == [
        "1 repository changed state  8 ms after the file's change (detect 3.14 + relay 0.84 ms)",
        "              ~ a  clean → dirty",
    ]
    assert compared[1] == "              together with 2 changes before it that came too fast"
    assert [compared[0], *compared[2:]] == by_delta


def test_generic_reports_are_told(told: Any) -> None:
    """By their places."""
    lines = told(
        Changed(report(1, {"ttl": 1}, "dns")), Changed(report(2, {"ttl": 2}, "dns"), b'{"format":"merge-patch"}')
    )

    assert lines[0].startswith("dns stands at 1: 9 B")
    assert lines[2] == "              ~ ttl 1 → 2"


def test_the_same_content_is_said_to_be(told: Any) -> None:
    """Of a new stream, and of another order of keys."""
    first = report(5, audit(1))
    told(Changed(first))

    assert told(Changed(report(1, audit(1)))) == ["the same report again, in a new stream"]
    reordered = dict(reversed(audit(1).items()))
    assert told(Changed(report(2, reordered)))[0].startswith("written otherwise, with the same content")


def test_a_large_change_is_cut(told: Any) -> None:
    """And says so."""
    told(Changed(report(1, audit(1, repos=[]))))
    lines = told(Changed(report(2, audit(1, repos=[{"name": f"r{n}", "status": "clean"} for n in range(50)]))))

    assert len(lines) == MAX_LINES + 2
    assert "reportcast diff tells all" in lines[-1]


def test_findings_are_told_once(told: Any) -> None:
    """As long as they stay the same."""
    finding = Finding("duplicate_repo", "twice")
    first, second = (report(offset, audit(offset), findings=(finding,)) for offset in (1, 2))

    assert any("twice" in line for line in told(Changed(first)))
    assert not any("twice" in line for line in told(Changed(second)))


def test_trouble_is_told_once(told: Any) -> None:
    """Attempts that fail alike are one outage; so is what stays degraded."""
    lost = Disconnected(Transport.WEBSOCKET, URL, Lost("the connection ended"), 0.5)
    connected = Connected(Transport.EVENTS, URL)

    assert told(fares(), lost, lost, connected, lost, connected) == [
        "not connected by WebSocket: the connection ended; again in 500 ms, and so on",
        f"connected to {URL}/ by server-sent events; WebSocket does not get through",
        "not connected by WebSocket: the connection ended; again in 500 ms, and so on",
        f"connected again to {URL}/ by server-sent events; WebSocket does not get through",
    ]
    assert told(fares("late"), fares("late", "broker away", stale=True), fares()) == [
        "degraded: late",
        "stale: broker away",
        "healthy again",
    ]
    assert told(Problem("bad_filter", "too long\x1b[0m")) == ["bad_filter: too long\\x1b[0m"]


def test_an_address_with_a_password(told: Any) -> None:
    """Is told without it."""
    assert told(Connected(Transport.WEBSOCKET, "http://user:secret@h:1")) == ["connected to http://…@h:1/ by WebSocket"]
