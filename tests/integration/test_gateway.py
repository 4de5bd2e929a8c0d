"""The contract with existing clients, to the letter, on a real server."""

import datetime
import json
from collections.abc import AsyncIterator

import httpx
import pytest
import websockets.exceptions
from msgspec.structs import replace
from reportcast.broker.base import Broker
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.clock import iso_utc, utc_now
from reportcast.contracts.close_codes import CloseCode
from reportcast.contracts.messages import Source, SourceState
from websockets.asyncio.client import ClientConnection, connect

from tests.support.faults import slow_reader
from tests.support.reports import audit, publication
from tests.support.running import CHANNEL, RunningGateway, running_gateway
from tests.support.wait import await_until

TOKEN = "sesame-sesame"
SINCE = "2026-11-23T12:00:00.000Z"


def live() -> Source:
    """Give the word of a watcher that is there and finds all well."""
    return Source(SourceState.LIVE, SINCE, heard_at=utc_now())


@pytest.fixture
async def gateway(memory_broker: MemoryBroker) -> AsyncIterator[RunningGateway]:
    """Give a gateway that has a report."""
    await memory_broker.publish(CHANNEL, publication(1))
    await memory_broker.set_source(CHANNEL, live())
    async with running_gateway(memory_broker, gateway_admin_token=TOKEN) as running:
        await await_until("it has the report", lambda: running.feed.replica.snapshot)
        yield running


async def ask(client: ClientConnection, message: str | bytes) -> object:
    """Send one message and give the answer."""
    await client.send(message)
    return json.loads(await client.recv())


async def test_the_report_on_connect(gateway: RunningGateway) -> None:
    """Exactly the four fields, the report as written."""
    async with gateway.connect() as client:
        frame = json.loads(await client.recv())

    assert list(frame) == ["type", "data", "timestamp", "server"]
    assert frame["type"] == "audit-update"
    assert frame["data"] == audit(1)
    assert frame["server"] == "reportcast-0.1.0"


async def test_the_report_on_every_change(broker: Broker) -> None:
    """Every client gets every change, in order, on either broker."""
    async with running_gateway(broker) as gateway, gateway.connect() as first, gateway.connect() as second:
        for client in (first, second):
            assert json.loads(await client.recv())["message"] == "Failed to load audit data"
        for mark in range(3):
            await broker.publish(CHANNEL, publication(mark))

            for client in (first, second):
                assert json.loads(await client.recv())["data"] == audit(mark)


async def test_requests(gateway: RunningGateway) -> None:
    """Each message of a client gets the contract's answer, to the letter."""
    async with gateway.connect() as client:
        greeting = json.loads(await client.recv())
        pong = await ask(client, '{"type":"ping"}')

        assert isinstance(pong, dict)
        assert list(pong) == ["type", "timestamp"]
        assert pong["type"] == "pong"
        assert await ask(client, '{"type":"request-update"}') == greeting
        assert await ask(client, b'{"type":"request-update"}') == greeting
        assert await ask(client, '{"type":"X"}') == {"type": "error", "message": "Unknown message type: X"}
        for bad in ("hello", "[]", "{}", "3"):
            assert await ask(client, bad) == {"type": "error", "message": "Invalid message format"}
        assert (await ask(client, '{"type":"ping"}')) != pong
    assert await gateway.metric("reportcast_gateway_bad_requests_total") == 5


async def test_without_a_report(memory_broker: MemoryBroker) -> None:
    """Clients are told, and get the report when it comes."""
    async with running_gateway(memory_broker) as gateway, gateway.connect() as client:
        refusal = json.loads(await client.recv())
        assert list(refusal) == ["type", "message", "timestamp"]
        assert refusal["message"] == "Failed to load audit data"
        assert (await gateway.http.get("audit")).status_code == 503
        assert (await gateway.status())["status"] == "degraded"

        await memory_broker.publish(CHANNEL, publication(1))

        assert json.loads(await client.recv())["data"] == audit(1)


async def test_a_message_above_1024_bytes(gateway: RunningGateway) -> None:
    """1024 are answered; one more closes the connection with 1009 and disturbs nobody else."""
    async with gateway.connect() as client, gateway.connect() as other:
        await client.recv()
        await other.recv()
        assert await ask(client, '{"type":"ping"}'.ljust(1024)) != {}
        await client.send("x" * 1025)

        with pytest.raises(websockets.exceptions.ConnectionClosed):
            await client.recv()

        assert client.close_code == CloseCode.MESSAGE_TOO_BIG
        assert await ask(other, '{"type":"ping"}') != {}


async def test_the_connection_limit(memory_broker: MemoryBroker) -> None:
    """One above it is closed with 1013; when one leaves, the next is let in."""
    async with running_gateway(memory_broker, gateway_max_connections=1) as gateway:
        async with gateway.connect() as first:
            await first.recv()
            async with gateway.connect() as second:
                with pytest.raises(websockets.exceptions.ConnectionClosed):
                    await second.recv()
                assert second.close_code == CloseCode.TRY_AGAIN_LATER
        assert await gateway.metric("reportcast_gateway_refused_total", reason="limit") == 1
        await await_until("the first is gone", lambda: len(gateway.feed.hub) == 0)
        async with gateway.connect() as third:
            await third.recv()


async def test_a_foreign_origin_is_refused_before_the_upgrade(memory_broker: MemoryBroker) -> None:
    """403; the same host and an allowed origin are let in."""
    async with running_gateway(memory_broker, gateway_allowed_origins=("https://ok.example",)) as gateway:
        with pytest.raises(websockets.exceptions.InvalidStatus) as caught:
            await gateway.connect(origin="https://evil.example")
        assert caught.value.response.status_code == 403
        for origin in (gateway.address.rstrip("/"), "https://ok.example"):
            async with gateway.connect(origin=origin) as client:
                await client.recv()
        assert await gateway.metric("reportcast_gateway_refused_total", reason="origin") == 1
        cors = await gateway.http.get("audit", headers={"Origin": "https://ok.example"})
        assert cors.headers["access-control-allow-origin"] == "https://ok.example"


async def test_a_silent_peer_is_dropped(memory_broker: MemoryBroker) -> None:
    """One that answers pings stays; one that does not is dropped after two."""
    async with (
        running_gateway(memory_broker, gateway_ping_interval_s=0.2) as gateway,
        gateway.connect() as alive,
        slow_reader(gateway.address),
    ):
        await await_until("both joined", lambda: len(gateway.feed.hub) == 2)
        await await_until("the silent one is dropped", lambda: len(gateway.feed.hub) == 1)

        assert await alive.recv()
        assert await ask(alive, '{"type":"ping"}') != {}


async def test_a_client_that_does_not_read_disturbs_nobody(memory_broker: MemoryBroker) -> None:
    """It is conflated in bounded memory, while the others get every change."""
    big = publication("x" * 200_000, "big")
    async with (
        running_gateway(memory_broker) as gateway,
        slow_reader(gateway.address),
        gateway.connect(max_size=None) as reader,
    ):
        await reader.recv()
        await await_until("both joined", lambda: len(gateway.feed.hub) == 2)
        for mark in range(200):
            await memory_broker.publish(CHANNEL, big if mark % 2 else publication(mark, "small"))
            await reader.recv()

        stuck = next(iter(gateway.feed.hub.connections))
        assert stuck.frames_sent < 200
        assert stuck.conflated > 0
        assert await gateway.metric("reportcast_gateway_conflated_total") == stuck.conflated


async def test_every_client_is_sent_the_same_object(gateway: RunningGateway) -> None:
    """The frame is made once; a late client is sent the very one that the others got."""
    assert gateway.feed.replica.frame("now") is gateway.feed.replica.frame("later")
    async with gateway.connect() as early:
        first = await early.recv()
        async with gateway.connect() as late:
            assert await late.recv() == first


async def test_a_gateway_that_joins_later_has_the_report(broker: Broker) -> None:
    """A new replica serves at once what was published before it was there."""
    await broker.publish(CHANNEL, publication(1))
    await broker.publish(CHANNEL, publication(2))
    async with running_gateway(broker) as gateway:
        await await_until("it has joined", lambda: gateway.feed.relay.is_connected)
        async with gateway.connect() as client:
            assert json.loads(await client.recv())["data"] == audit(2)


async def test_status(gateway: RunningGateway) -> None:
    """The contract's fields, and why when it is degraded."""
    async with gateway.connect() as client:
        await client.recv()
        status = await gateway.status()

    assert status["status"] == "healthy"
    assert status["clients"] == 1
    assert status["maxConnections"] == 50_000
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


async def test_clients_is_for_admins(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """401 without the token, the list with it, and 403 that says what to set where none is configured."""
    async with gateway.connect(additional_headers={"User-Agent": "x" * 500}) as client:
        await client.recv()
        assert (await gateway.http.get("api/ws/clients")).status_code == 401
        listed = (await gateway.http.get("api/ws/clients", headers={"Authorization": f"Bearer {TOKEN}"})).json()
    async with running_gateway(memory_broker) as open_gateway:
        refused = await open_gateway.http.get("api/ws/clients", headers={"Authorization": "Bearer x"})

    assert listed["count"] == 1
    assert listed["clients"][0]["framesSent"] == 1
    assert len(listed["clients"][0]["userAgent"]) == 200
    assert refused.status_code == 403
    assert "GATEWAY_ADMIN_TOKEN" in refused.json()["error"]


async def test_trigger_update(gateway: RunningGateway) -> None:
    """Asks the watcher, at most once a second; says so when there is none; needs the token when one is set."""
    admin = {"Authorization": f"Bearer {TOKEN}"}
    assert (await gateway.http.post("api/ws/trigger-update")).status_code == 401
    assert (await gateway.http.post("api/ws/trigger-update", headers=admin)).status_code == 503
    too_soon = await gateway.http.post("api/ws/trigger-update", headers=admin)
    assert too_soon.status_code == 429
    assert too_soon.headers["Retry-After"] == "1"


async def test_trigger_update_without_a_token(memory_broker: MemoryBroker) -> None:
    """Anybody may, but no page of a foreign origin."""
    async with (
        running_gateway(memory_broker) as gateway,
        memory_broker.refresh_requests(CHANNEL) as requests,
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


async def test_a_refresh_sends_the_report_to_everyone_again(
    gateway: RunningGateway, memory_broker: MemoryBroker
) -> None:
    """As the watcher announces it after a triggered read."""
    async with gateway.connect() as client:
        first = json.loads(await client.recv())
        await memory_broker.announce_refreshed(CHANNEL)
        again = json.loads(await client.recv())

    assert again["data"] == first["data"]
    assert again["timestamp"] > first["timestamp"]


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


async def test_every_endpoint_serves_the_same_strict_json(gateway: RunningGateway) -> None:
    """The body is the same bytes over the WebSocket, /audit and the history."""
    newest = (await gateway.http.get("audit")).content
    past = (await gateway.http.get(f"audit/history/{publication(1).stem}.json")).content
    async with gateway.connect() as client:
        frame = await client.recv()

    assert past == newest
    assert isinstance(frame, str)
    assert newest.decode() in frame


async def test_the_page_lets_nothing_in_from_elsewhere(gateway: RunningGateway) -> None:
    """It has a policy, and holds no inline script or style."""
    page = await gateway.http.get("")
    script = await gateway.http.get("page.js")

    assert page.headers["Content-Type"].startswith("text/html")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "<script>" not in page.text
    assert "style=" not in page.text
    assert script.status_code == 200
    missing = await gateway.http.get("nothing-here")
    assert (missing.status_code, missing.json()) == (404, {"error": "Not Found"})


async def test_operational_endpoints(memory_broker: MemoryBroker) -> None:
    """Live at once, ready when the stored state was read, and counting."""
    async with running_gateway(memory_broker) as gateway:
        await await_until("it is ready", lambda: gateway.feed.health.is_ready)
        assert (await gateway.http.get("readyz")).json() == {"status": "ready"}
        gateway.feed.health.fail("broker", "gone")
        unready = await gateway.http.get("readyz")
        assert (unready.status_code, unready.json()["failing"]) == (503, {"broker": "gone"})
        assert (await gateway.http.get("healthz")).status_code == 200
        async with gateway.connect() as client:
            await client.recv()
            assert await gateway.metric("reportcast_gateway_connections") == 1
            assert await gateway.metric("reportcast_gateway_opened_total") == 1


async def test_a_client_that_reads_gets_every_change(memory_broker: MemoryBroker) -> None:
    """A thousand of them, each once and in order, at the pace at which it reads."""
    async with running_gateway(memory_broker) as gateway, gateway.connect() as client:
        await client.recv()
        for mark in range(1000):
            await memory_broker.publish(CHANNEL, publication(mark))

            assert json.loads(await client.recv())["data"] == audit(mark)


async def test_a_burst_ends_on_the_newest(memory_broker: MemoryBroker) -> None:
    """What is published faster than it can be sent is conflated; nothing older comes after something newer."""
    async with running_gateway(memory_broker) as gateway, gateway.connect() as client:
        await client.recv()
        for mark in range(500):
            await memory_broker.publish(CHANNEL, publication(mark))
        marks: list[int] = []
        while not marks or marks[-1] != 499:
            timestamp: str = json.loads(await client.recv())["data"]["timestamp"]
            marks.append(int(timestamp.rpartition("-")[2]))

    assert marks == sorted(set(marks))


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
