"""What a watcher tells besides reports: refused contents, findings, and that a report is overdue, on a real server."""

import datetime

import httpx
import pytest
from msgspec.structs import replace
from reportcast.broker.base import Broker
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.clock import iso_utc, utc_now
from reportcast.contracts.messages import Finding, Publication, Rejection, Source, SourceState

from tests.support.reports import MOMENT, audit, publication
from tests.support.running import ADMIN_TOKEN, CHANNEL, SINCE, RunningGateway, live, running_gateway
from tests.support.wait import await_until

ADMIN = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
CONTENT = b"\x00<script>alert(1)</script>"
REJECTION = Rejection(MOMENT, "r.json", "syntax", "report is cut off", 3, 5, len(CONTENT), "ab12", "-{\n+<script>")


async def test_refused_contents_are_listed(broker: Broker) -> None:
    """Newest first, with all that is known of them; those of another channel are not."""
    await broker.reject(CHANNEL, REJECTION, CONTENT)
    await broker.reject(CHANNEL, replace(REJECTION, line=None, column=None, message="report is empty"), b"")
    async with running_gateway(broker, (CHANNEL, "dns"), gateway_admin_token=ADMIN_TOKEN) as gateway:
        answer = await gateway.http.get("audit/rejected", headers=ADMIN)
        other = await gateway.http.get("audit/rejected", headers=ADMIN, params={"channel": "dns"})

    newest, oldest = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert (newest["message"], newest["line"], newest["column"]) == ("report is empty", None, None)
    assert oldest.pop("id")
    assert oldest == {
        "rejectedAt": "2026-11-23T12:00:00.000Z",
        "file": "r.json",
        "reason": "syntax",
        "message": "report is cut off",
        "line": 3,
        "column": 5,
        "size": len(CONTENT),
        "digest": "ab12",
        "diff": "-{\n+<script>",
    }
    assert other.json() == []


async def test_a_refused_content_is_saved_and_never_shown(broker: Broker) -> None:
    """The very bytes, as something that no browser renders; 404 with a sentence for any other id."""
    await broker.reject(CHANNEL, REJECTION, CONTENT)
    async with running_gateway(broker, gateway_admin_token=ADMIN_TOKEN) as gateway:
        known = (await gateway.http.get("audit/rejected", headers=ADMIN)).json()[0]["id"]
        answer = await gateway.http.get(f"audit/rejected/{known}", headers=ADMIN)
        others = ("9-9", "99999999999999999999-0", "*", "%3Cb%3E")
        missing = [await gateway.http.get(f"audit/rejected/{each}", headers=ADMIN) for each in others]

    assert answer.content == CONTENT
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == "attachment"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    sentence = "no refused content of that id is kept; /audit/rejected lists those that are"
    assert [(each.status_code, each.json()) for each in missing] == [(404, {"error": sentence})] * 4
    assert {each.headers["Cache-Control"] for each in missing} == {"no-store"}


async def test_refused_contents_are_for_admins(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """401 without the token, and 403 that says what to set where none is configured, whatever the channel."""
    paths = ("audit/rejected", "audit/rejected/1-0", "audit/rejected?channel=none")
    async with running_gateway(memory_broker) as open_gateway:
        for path in paths:
            assert (await gateway.http.get(path)).status_code == 401
            refused: httpx.Response = await open_gateway.http.get(path, headers=ADMIN)
            assert (refused.status_code, "GATEWAY_ADMIN_TOKEN" in refused.json()["error"]) == (403, True)


def flagged() -> Publication:
    """Give a report with two findings."""
    plain = publication("odd")
    findings = (Finding("duplicate_key", 'key "name" stands twice', 4, 7), Finding("summary", "total is 2, not 1"))
    return Publication(plain.stem, plain.digest, MOMENT, MOMENT, plain.body, findings)


async def test_the_findings_of_a_report(broker: Broker) -> None:
    """Are told with it, and are no fault of the feed."""
    await broker.set_source(CHANNEL, live())
    await broker.publish(CHANNEL, flagged())
    async with running_gateway(broker) as gateway:
        await await_until("the report is there", lambda: gateway.feed.replica.snapshot)
        odd = await gateway.status()
        served = (await gateway.http.get("audit")).json()
        await broker.publish(CHANNEL, publication("good"))
        await await_until("the next is there", lambda: gateway.feed.replica.snapshot.offset == 2)  # type: ignore[union-attr]
        good = await gateway.status()

    assert odd["report"]["findings"] == [
        {"kind": "duplicate_key", "message": 'key "name" stands twice', "line": 4, "column": 7},
        {"kind": "summary", "message": "total is 2, not 1", "line": None, "column": None},
    ]
    assert (odd["status"], odd["reasons"]) == ("healthy", [])
    assert served == audit("odd")
    assert good["report"]["findings"] == []


async def test_an_overdue_report(broker: Broker) -> None:
    """Degrades the status, in words; how late it is grows although the watcher says no more."""
    due_at = utc_now() - datetime.timedelta(seconds=3700)
    overdue = Source(SourceState.OVERDUE, SINCE, "late", utc_now(), 300.0, due_at, 1.0)
    await broker.publish(CHANNEL, publication(1))
    await broker.set_source(CHANNEL, overdue)
    async with running_gateway(broker) as gateway:
        await await_until("it is told", lambda: gateway.feed.replica.source)
        first = await gateway.status()
        late = first["source"]["lateByS"]
        grown = await await_until("it is later", lambda: (gateway.feed.late_by_s or 0) > late)
        metric = await gateway.metric("reportcast_gateway_overdue_seconds", channel=CHANNEL)
        assert first["reasons"] == ["the report is overdue: expected every 5 min, late by 1 h 1 min"]
        assert (first["source"]["state"], first["source"]["expectedEveryS"]) == ("overdue", 300)
        assert first["source"]["dueAt"] == iso_utc(due_at)
        assert grown
        assert metric > late >= 3700

        await broker.set_source(CHANNEL, replace(live(), expected_every_s=300.0, due_at=due_at))

        await await_until("it is well again", lambda: gateway.feed.late_by_s is None)
        again = await gateway.status()
        assert again["status"] == "healthy"
        assert (again["source"]["expectedEveryS"], again["source"]["lateByS"]) == (300, None)
        assert await gateway.metric("reportcast_gateway_overdue_seconds", channel=CHANNEL) == 0


@pytest.mark.parametrize("field", ["expectedEveryS", "dueAt", "lateByS"])
async def test_what_is_not_known_of_the_cadence_is_null(gateway: RunningGateway, field: str) -> None:
    """As with a watcher that has not learnt it yet."""
    assert (await gateway.status())["source"][field] is None
