"""
What every transport owes a client, on a real server: the same frames, the same position, the same manners.

Source: docs/protocol.md, Version 1; Events; Polling.
"""

import asyncio
import contextlib
import dataclasses
import gc
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from gateway.audience import ReportAudience
from gateway.audiences import MAX_FILTERS
from msgspec.structs import replace
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.messages import Publication, SourceState
from reportcast.contracts.position import Position

from tests.support.faults import DeafSubscription
from tests.support.reports import audit, change, publication
from tests.support.running import ADMIN_TOKEN, CHANNEL, RunningGateway, live, running_gateway
from tests.support.transports import (
    Client,
    Ended,
    Transport,
    TurnedAway,
    by_events,
    by_gzipped_events,
    by_polls,
    by_websocket,
)
from tests.support.wait import await_until

READ_TOKEN = "open-sesame"
OTHER_EPOCH = "0123456789abcdef"


@pytest.fixture(
    params=[by_websocket, by_events, by_gzipped_events, by_polls], ids=["websocket", "events", "gzipped", "polls"]
)
def transport(request: pytest.FixtureRequest) -> Transport:
    """Give each transport in turn."""
    chosen: Transport = request.param
    return chosen


@contextlib.asynccontextmanager
async def serving(broker: MemoryBroker, **settings: Any) -> AsyncIterator[RunningGateway]:
    """Run a gateway that has seen three reports."""
    await broker.publish(CHANNEL, publication(1))
    await broker.set_source(CHANNEL, live())
    async with running_gateway(broker, **settings) as gateway:
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)
        await await_until("it has told how it fares", lambda: gateway.feed.audiences.status.tag)
        for mark in (2, 3):
            await broker.publish(CHANNEL, change(mark - 1, mark))
        await await_until("it has all", lambda: offset_of(gateway) == 3)
        yield gateway


def offset_of(gateway: RunningGateway) -> int:
    """Tell where the gateway stands."""
    return gateway.feed.replica.snapshot.offset if gateway.feed.replica.snapshot else 0


def position(gateway: RunningGateway, offset: int) -> str:
    """Give a position in the gateway's epoch."""
    assert gateway.feed.replica.snapshot is not None
    return f"{gateway.feed.replica.snapshot.epoch}:{offset}"


async def followed(gateway: RunningGateway, count: int = 1) -> None:
    """Wait until so many clients wait for what comes next."""
    await await_until("they wait", lambda: len(gateway.feed.audiences) == count)


async def test_who_connects(memory_broker: MemoryBroker, transport: Transport) -> None:
    """Gets the whole report with where it stands, and how the channel fares."""
    async with serving(memory_broker) as gateway, transport(gateway) as client:
        following, snapshot, status = await client.until("following", "snapshot", "status")

        assert (following["offset"], following["recovered"]) == (3, False)
        assert (snapshot["offset"], snapshot["data"], snapshot["digest"]) == (3, audit(3), publication(3).digest)
        assert snapshot.get("sse_id", position(gateway, 3)) == position(gateway, 3)
        assert status["source"]["state"] == "live"


async def test_a_live_change(memory_broker: MemoryBroker, transport: Transport) -> None:
    """Comes as what changed, from the report before it."""
    async with serving(memory_broker) as gateway, transport(gateway) as client:
        await client.until("snapshot", "status")
        for mark in (4, 5):
            waiting = client.soon("delta")
            await followed(gateway)
            await memory_broker.publish(CHANNEL, change(mark - 1, mark))
            (delta,) = await waiting

            assert (delta["offset"], delta["base"]) == (mark, publication(mark - 1).digest)
            assert delta["digest"] == publication(mark).digest


async def test_who_comes_back(memory_broker: MemoryBroker, transport: Transport) -> None:
    """Gets all that it missed, and nothing else."""
    async with serving(memory_broker) as gateway, transport(gateway, since=position(gateway, 1)) as client:
        following, *deltas = await client.until("following", "delta", "delta")

        assert following["recovered"] is True
        assert [delta["offset"] for delta in deltas] == [2, 3]


async def test_who_comes_back_from_elsewhere(memory_broker: MemoryBroker, transport: Transport) -> None:
    """Is told why it cannot go on, and gets the whole."""
    async with serving(memory_broker) as gateway, transport(gateway, since=f"{OTHER_EPOCH}:7") as client:
        following, snapshot = await client.until("following", "snapshot")

        assert (following["recovered"], following["reason"]) == (False, "this position is of another epoch")
        assert snapshot["offset"] == 3


async def test_a_part(memory_broker: MemoryBroker, transport: Transport) -> None:
    """Of the report can be followed alone; its digest is its own."""
    async with serving(memory_broker) as gateway, transport(gateway, "status=missing") as client:
        (snapshot,) = await client.until("snapshot")

        assert snapshot["data"]["repos"] == []
        assert snapshot["digest"] != publication(3).digest


async def test_how_it_fares(memory_broker: MemoryBroker, transport: Transport) -> None:
    """Is told when it changes, without a change of the report."""
    async with serving(memory_broker) as gateway, transport(gateway) as client:
        await client.until("snapshot", "status")
        waiting = client.soon("status")
        await followed(gateway)
        await memory_broker.set_source(CHANNEL, replace(live(), state=SourceState.REJECTED, reason="it is empty"))
        (status,) = await waiting

        assert (status["source"]["state"], status["source"]["reason"]) == ("rejected", "it is empty")


async def test_a_broker_that_is_away(memory_broker: MemoryBroker, transport: Transport) -> None:
    """Ends nothing: the last report is served, marked stale."""
    broker = DeafSubscription(memory_broker)
    async with serving(broker) as gateway:  # type: ignore[arg-type] # it wraps one
        gateway.feed.relay._connected(False)
        async with transport(gateway) as client:
            snapshot, status = await client.until("snapshot", "status")

    assert (snapshot["offset"], status["stale"]) == (3, True)


async def what_is_wrong(connecting: contextlib.AbstractAsyncContextManager[Client]) -> str:
    """Give what a client is told, on its connection or instead of one."""
    try:
        async with connecting as client:
            (error,) = await client.until("error")
            return str(error["message"])
    except TurnedAway as turned_away:
        return turned_away.sentence


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        pytest.param("channel=other", "served are: audit", id="channel"),
        pytest.param("status=" + "x" * 201, "1 to 200 characters", id="filter"),
        pytest.param("since=nowhere&epoch=nowhere&offset=1", "a position is an epoch", id="position"),
    ],
)
async def test_what_cannot_be(memory_broker: MemoryBroker, transport: Transport, query: str, sentence: str) -> None:
    """Is answered with one sentence; who may be served all the same gets the report."""
    async with serving(memory_broker) as gateway:
        assert sentence in await what_is_wrong(transport(gateway, query))


@pytest.mark.parametrize("transport", [by_websocket, by_events], ids=["websocket", "events"])
async def test_a_foreign_page(memory_broker: MemoryBroker, transport: Transport) -> None:
    """May not connect."""
    async with serving(memory_broker) as gateway:
        with pytest.raises(TurnedAway) as caught:
            async with transport(gateway, headers={"Origin": "https://foreign.example"}) as client:
                await client.next()

    assert caught.value.status == 403


async def test_an_allowed_page(memory_broker: MemoryBroker, transport: Transport) -> None:
    """May."""
    origin = "https://a.example"
    async with (
        serving(memory_broker, gateway_allowed_origins=(origin,)) as gateway,
        transport(gateway, headers={"Origin": origin}) as client,
    ):
        await client.until("snapshot")


def audiences() -> int:
    """Count those that are kept, by whatever."""
    gc.collect()
    return sum(isinstance(each, ReportAudience) for each in gc.get_objects())


async def test_parts_that_were_polled_are_forgotten(memory_broker: MemoryBroker) -> None:
    """However many were asked for: what answers them keeps nobody who follows them."""
    async with serving(memory_broker) as gateway:
        before = audiences()
        for number in range(2 * MAX_FILTERS):
            assert (await gateway.http.get(f"audit?since=&wait=5&name=x{number}")).status_code == 200

        assert audiences() - before <= MAX_FILTERS


async def test_who_wants_the_head_alone(memory_broker: MemoryBroker) -> None:
    """Does not wait for it, and gets no body."""
    async with serving(memory_broker) as gateway:
        for query in ("since=", f"since={position(gateway, 3)}&wait=30"):
            answer = await gateway.http.head(f"audit?{query}")
            assert (answer.content, answer.headers["cache-control"]) == (b"", "no-store")
        assert (await gateway.http.head("events")).headers["content-type"].startswith("text/event-stream")
        assert (await gateway.http.get("healthz")).is_success


async def test_a_page_that_polls_from_elsewhere(memory_broker: MemoryBroker) -> None:
    """Waits as all others, and is told that it may read what it gets."""
    foreign = {"Origin": "https://a.example"}
    async with serving(memory_broker, gateway_allowed_origins=("https://a.example",)) as gateway:
        address = f"audit?since={position(gateway, 3)}&wait=5"
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(gateway.http.get(address, headers=foreign))
            await followed(gateway)
            await memory_broker.publish(CHANNEL, change(3, 4))
        answer = waiting.result()

        assert [frame["type"] for frame in answer.json()] == ["following", "delta", "status"]
        assert answer.headers["access-control-allow-origin"] == "https://a.example"
        await followed(gateway, 0)


async def test_when_there_is_no_place(memory_broker: MemoryBroker, transport: Transport) -> None:
    """It is told that the limit is reached; once there is one, it is let in."""
    async with serving(memory_broker, gateway_max_connections=1) as gateway:
        async with gateway.connect() as only:
            await only.recv()
            with pytest.raises(TurnedAway) as caught:
                async with transport(gateway, since=position(gateway, 3)) as client:
                    await client.until("delta")
            assert caught.value.status in (503, 1013)
            assert "connection limit of 1 reached" in caught.value.sentence
        await followed(gateway, 0)
        async with transport(gateway) as client:
            await client.until("snapshot")


async def test_the_read_token(memory_broker: MemoryBroker, transport: Transport) -> None:
    """Is asked for on every transport: in a header or in the address; an admin's will do."""
    settings: dict[str, Any] = {"gateway_read_token": READ_TOKEN, "gateway_admin_token": ADMIN_TOKEN}
    async with serving(memory_broker, **settings) as gateway:
        for query, headers in (("", {}), ("access_token=wrong-one", {}), ("", {"Authorization": "Bearer wrong-one"})):
            with pytest.raises(TurnedAway) as caught:
                async with transport(gateway, query, headers=headers) as client:
                    await client.next()
            assert caught.value.status == 401
        for query, headers in (
            (f"access_token={READ_TOKEN}", {}),
            ("", {"Authorization": f"Bearer {READ_TOKEN}"}),
            ("", {"Authorization": f"bearer {ADMIN_TOKEN}"}),
        ):
            async with transport(gateway, query, headers=headers) as client:
                await client.until("snapshot")
        assert await gateway.metric("reportcast_gateway_refused_total", reason="token") == 3


async def test_the_end_of_a_gateway(memory_broker: MemoryBroker, transport: Transport) -> None:
    """Is told with a time to come back after; then nothing comes any more."""
    async with serving(memory_broker) as gateway, transport(gateway) as client:
        await client.until("snapshot", "status")
        waiting = client.soon("drain")
        await followed(gateway)
        gateway.stop()
        (drain,) = await waiting

        assert 100 <= drain["retry_after_ms"] <= 1000
        assert drain.get("sse_retry", str(drain["retry_after_ms"])) == str(drain["retry_after_ms"])
        with pytest.raises(Ended):
            await client.next()


async def test_who_has_gone(memory_broker: MemoryBroker, transport: Transport) -> None:
    """Leaves nothing behind."""
    async with serving(memory_broker) as gateway:
        async with transport(gateway) as client:
            await client.until("snapshot", "status")
            waiting = client.soon("delta")
            await followed(gateway)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        await followed(gateway, 0)
        await await_until("its place is free", lambda: gateway.feeds.admission.connections == 0)

        for kind in ("websocket", "events", "poll"):
            assert await gateway.metric("reportcast_gateway_connections", transport=kind) == 0


async def test_every_transport_makes_the_same_report(memory_broker: MemoryBroker, transport: Transport) -> None:
    """What comes of a snapshot is proved by its digest, also where white space was kept."""
    body = b'{"timestamp":"t",\n"repos":[{"name":"\\ud800","status":"clean"}]}'
    digest = hashlib.sha256(body).hexdigest()
    async with serving(memory_broker) as gateway:
        await memory_broker.publish(CHANNEL, replace_body(body, digest))
        await await_until("it has it", lambda: offset_of(gateway) == 4)
        async with transport(gateway) as client:
            (snapshot,) = await client.until("snapshot")

    assert (snapshot["digest"], snapshot["data"]["repos"][0]["status"]) == (digest, "clean")


def replace_body(body: bytes, digest: str) -> Publication:
    """Give a publication of ``body``."""
    return dataclasses.replace(publication(4), body=body, digest=digest)


async def test_a_page_from_elsewhere_that_has_gone(memory_broker: MemoryBroker) -> None:
    """Keeps no place, though a task waits for its answer."""
    origin = "https://a.example"
    async with serving(memory_broker, gateway_allowed_origins=(origin,)) as gateway:
        host, port = gateway.address.removeprefix("http://").rstrip("/").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        address = f"/audit?since={position(gateway, 3)}&wait=50"
        writer.write(f"GET {address} HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n\r\n".encode())
        await followed(gateway)

        writer.close()
        await writer.wait_closed()

        await await_until("its place is free", lambda: gateway.feeds.admission.connections == 0)
        await followed(gateway, 0)


async def test_who_stands_at_different_places_is_answered_alike(memory_broker: MemoryBroker) -> None:
    """If it has to be given the whole: that is made once, however many there are."""
    async with serving(memory_broker) as gateway:
        whole, status = gateway.feed.audiences.whole, gateway.feed.audiences.status
        assert whole.position is not None
        await memory_broker.publish(CHANNEL, publication(9))  # whole: nobody can go on step by step
        await await_until("it has it", lambda: offset_of(gateway) == 4)
        answers = {whole.news_since(status, Position(whole.position.epoch, offset), None) for offset in (1, 2, 3)}

        assert len(answers) == 1
        assert b'"reason":' in answers.pop().raw  # type: ignore[union-attr] # there is one


async def test_a_page_from_elsewhere_is_told_when_to_come_back(memory_broker: MemoryBroker) -> None:
    """By a header that it may read."""
    origin = "https://a.example"
    async with serving(memory_broker, gateway_allowed_origins=(origin,)) as gateway:
        answer = await gateway.http.get("audit?since=", headers={"Origin": origin})

    assert "Retry-After" in answer.headers["access-control-expose-headers"]
