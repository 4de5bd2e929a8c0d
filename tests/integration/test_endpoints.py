"""The contract with existing clients over HTTP, to the letter, on a real server."""

import datetime

import httpx
import pytest
import websockets.exceptions
from gateway.status import Crew, describe
from msgspec.structs import replace
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.clock import iso_utc, utc_now
from reportcast.contracts.messages import Source, SourceState
from websockets.asyncio.client import connect

from tests.support.reports import audit, publication
from tests.support.running import ADMIN_TOKEN, CHANNEL, SINCE, RunningGateway, live, running_gateway
from tests.support.wait import await_until


async def test_status(gateway: RunningGateway) -> None:
    """The contract's fields, and why when it is degraded."""
    async with gateway.connect() as client:
        await client.recv()
        status = await gateway.status()

    assert status["status"] == "healthy"
    assert status["clients"] == 1
    assert status["maxConnections"] == gateway.feeds.admission.max_connections <= 50_000
    assert status["uptime"] > 0
    assert status["reasons"] == []
    assert status["source"]["state"] == "live"
    assert status["report"]["offset"] == 1


async def test_a_rejected_report_shows_in_the_status(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """Degraded, with the reason, while the last good one is served."""
    await memory_broker.set_source(CHANNEL, Source(SourceState.REJECTED, SINCE, "report is empty"))

    async def is_degraded() -> bool:
        return bool((await gateway.status())["status"] == "degraded")

    await await_until("the status is degraded", is_degraded)
    status = await gateway.status()
    assert status["reasons"] == ["the report file's present content is not served: report is empty"]
    assert (await gateway.http.get("audit")).json() == audit(1)


async def test_a_missing_file_shows_in_the_status(memory_broker: MemoryBroker) -> None:
    """Degraded, with what is waited for, and not for the want of a report besides."""
    await memory_broker.set_source(CHANNEL, replace(live(), state=SourceState.WAITING, reason="there is no file"))
    async with running_gateway(memory_broker) as gateway:
        await await_until("it is told", lambda: gateway.feed.replica.source)
        assert (await gateway.status())["reasons"] == ["waiting for the report file: there is no file"]


async def test_a_worker_that_lost_the_broker_or_is_away_shows_in_the_status(gateway: RunningGateway) -> None:
    """Degraded, with how many of them, and marked stale, whichever worker is asked."""
    crew = Crew({"asked": 3, "answered": 2}, clients=5, connected=1, uptime_s=7.0)

    status = describe(gateway.feed, crew)

    assert status["reasons"] == [
        "1 of 3 workers did not answer; what they do is not told",
        "the broker is not connected in 1 of 2 workers; what is served may be stale",
    ]
    assert (status["status"], status["stale"], status["broker"]) == ("degraded", True, {"connected": False})
    assert (status["clients"], status["uptime"], status["workers"]) == (5, 7.0, {"asked": 3, "answered": 2})


async def test_clients_is_for_admins(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """401 without the token, the list with it, and 403 that says what to set where none is configured."""
    async with gateway.connect(additional_headers={"User-Agent": "x" * 500}) as client:
        await client.recv()
        assert (await gateway.http.get("api/ws/clients")).status_code == 401
        listed = (await gateway.http.get("api/ws/clients", headers={"Authorization": f"Bearer {ADMIN_TOKEN}"})).json()
    async with running_gateway(memory_broker) as open_gateway:
        refused = await open_gateway.http.get("api/ws/clients", headers={"Authorization": "Bearer x"})

    assert listed["count"] == 1
    assert listed["clients"][0]["framesSent"] == 1
    assert len(listed["clients"][0]["userAgent"]) == 200
    assert refused.status_code == 403
    assert "GATEWAY_ADMIN_TOKEN" in refused.json()["error"]


async def test_trigger_update(gateway: RunningGateway) -> None:
    """Asks the watcher, at most once a second; says so when there is none; needs the token when one is set."""
    admin = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    assert (await gateway.http.post("api/ws/trigger-update")).status_code == 401
    assert (await gateway.http.post("api/ws/trigger-update", headers=admin)).status_code == 503
    too_soon = await gateway.http.post("api/ws/trigger-update", headers=admin)
    assert too_soon.status_code == 429
    assert too_soon.headers["Retry-After"] == "1"


async def test_trigger_update_without_a_token(memory_broker: MemoryBroker) -> None:
    """Anybody may, but no page of a foreign origin."""
    async with (
        running_gateway(memory_broker) as gateway,
        memory_broker.refresh_requests([CHANNEL]) as requests,
        gateway.connect() as client,
    ):
        await client.recv()
        foreign = await gateway.http.post("api/ws/trigger-update", headers={"Origin": "https://evil.example"})
        assert foreign.status_code == 403
        answer = await gateway.http.post("api/ws/trigger-update")
        await anext(requests)

    assert answer.json()["message"] == "Update triggered"
    assert answer.json()["clients"] == 1
    assert "timestamp" in answer.json()


async def test_audit(gateway: RunningGateway) -> None:
    """The newest report, with an ETag that saves sending it again."""
    answer = await gateway.http.get("audit")
    etag = answer.headers["ETag"]
    assert answer.json() == audit(1)
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        same = await gateway.http.get("audit", headers={"If-None-Match": known})
        assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", etag)
    assert (await gateway.http.get("audit", headers={"If-None-Match": '"other"'})).status_code == 200
    head = await gateway.http.head("audit")
    assert (head.status_code, head.content) == (200, b"")


async def test_history(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """Names, newest first, and each report by its name."""
    await memory_broker.publish(CHANNEL, publication(2, "second"))

    names = (await gateway.http.get("audit/history")).json()

    assert names == ["second.json", f"{publication(1).stem}.json"]
    assert (await gateway.http.get("audit/history/second.json")).json() == audit(2)
    for missing in ("third.json", "..%2Fsecond.json", "second", "%00.json"):
        assert (await gateway.http.get(f"audit/history/{missing}")).status_code == 404


async def test_the_description_for_machines(gateway: RunningGateway) -> None:
    """Every endpoint of FastAPI is described once, without a warning."""
    paths = (await gateway.http.get("openapi.json")).json()["paths"]

    assert set(paths["/audit/history/{name}"]) == {"get"}
    assert "/api/ws/status" in paths


async def test_every_endpoint_serves_the_same_strict_json(gateway: RunningGateway) -> None:
    """The body is the same bytes over the WebSocket, /audit and the history."""
    newest = (await gateway.http.get("audit")).content
    past = (await gateway.http.get(f"audit/history/{publication(1).stem}.json")).content
    async with gateway.connect() as client:
        frame = await client.recv()

    assert past == newest
    assert isinstance(frame, str)
    assert newest.decode() in frame


async def test_operational_endpoints(memory_broker: MemoryBroker) -> None:
    """Live at once, ready when the stored state was read, and counting."""
    async with running_gateway(memory_broker) as gateway:
        await await_until("it is ready", lambda: gateway.feed.health.is_ready)
        assert (await gateway.http.get("readyz")).json() == {"status": "ready"}
        gateway.feed.health.fail("channel audit", "gone")
        unready = await gateway.http.get("readyz")
        assert (unready.status_code, unready.json()["failing"]) == (503, {"channel audit": "gone"})
        assert (await gateway.http.get("healthz")).status_code == 200
        async with gateway.connect() as client:
            await client.recv()
            assert await gateway.metric("reportcast_gateway_connections", transport="websocket") == 1
            assert await gateway.metric("reportcast_gateway_opened_total", transport="websocket") == 1


async def test_a_watcher_that_fell_silent_shows_in_the_status(memory_broker: MemoryBroker) -> None:
    """Its last word was that all is well; that it has not been heard since is a reason to be degraded."""
    long_ago = utc_now() - datetime.timedelta(minutes=5)
    await memory_broker.publish(CHANNEL, publication(1))
    await memory_broker.set_source(CHANNEL, replace(live(), heard_at=long_ago))
    async with running_gateway(memory_broker) as gateway:
        await await_until("it has joined", lambda: gateway.feed.relay.is_connected)
        assert (await gateway.status())["reasons"] == [f"no watcher has been heard since {iso_utc(long_ago)}"]

        await memory_broker.set_source(CHANNEL, live())

        await await_until("it was heard", lambda: gateway.feed.relay.heard_at != long_ago)
        assert (await gateway.status())["status"] == "healthy"


async def test_nobody_is_heard_while_the_broker_is_away(memory_broker: MemoryBroker) -> None:
    """The watcher may be well: that the broker is away is said alone."""
    await memory_broker.publish(CHANNEL, publication(1))
    await memory_broker.set_source(CHANNEL, replace(live(), heard_at=utc_now() - datetime.timedelta(minutes=5)))
    async with running_gateway(memory_broker) as gateway:
        await await_until("it has joined", lambda: gateway.feed.relay.is_connected)
        gateway.feed.relay.is_connected = False

        [reason] = (await gateway.status())["reasons"]
    assert reason == "the broker is not connected; what is served may be stale"


async def test_only_known_hosts_are_served(memory_broker: MemoryBroker) -> None:
    """A page whose name was pointed at this gateway (DNS rebinding) gets nothing, over HTTP and WebSocket."""
    async with running_gateway(memory_broker, gateway_allowed_hosts=("127.0.0.1",)) as gateway:
        evil = {"Host": "evil.example:8080"}
        refused = await gateway.http.get("audit", headers=evil)
        assert (refused.status_code, "GATEWAY_ALLOWED_HOSTS" in refused.json()["error"]) == (403, True)
        assert (await gateway.http.get("healthz", headers=evil)).status_code == 200
        with pytest.raises(websockets.exceptions.InvalidStatus) as caught:
            await connect("ws://evil.example:8080/ws", host="127.0.0.1", port=httpx.URL(gateway.address).port)
        assert caught.value.response.status_code == 403
        async with gateway.connect() as client:
            await client.recv()


async def test_the_uptime_is_no_matter_of_the_clock(gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """It grows from nothing, also when the clock is set."""
    monkeypatch.setattr(gateway.feeds.roster, "now", lambda: utc_now() - datetime.timedelta(days=3650))
    for feed in gateway.feeds:
        object.__setattr__(feed, "now", gateway.feeds.roster.now)

    assert 0 <= (await gateway.status())["uptime"] < 60
