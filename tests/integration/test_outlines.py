"""``/api/history``: what is told of all past reports at once."""

import asyncio
from typing import Any

import pytest
from gateway.compressor import Compressor
from gateway.outlines import MAX_OUTLINES, Outlines
from reportcast.broker.base import Broker, HistoryLimits
from reportcast.broker.errors import BrokerError
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.messages import Snapshot

from tests.support.reports import audit, publication
from tests.support.running import CHANNEL, RunningGateway, running_gateway
from tests.support.wait import await_until


class CountsReads(MemoryBroker):
    """A broker that knows which past reports were read."""

    def __init__(self, limits: HistoryLimits | None = None) -> None:
        super().__init__(asyncio.get_running_loop().time, limits)
        self.reads: list[str] = []

    async def past_report(self, channel: str, name: str) -> Snapshot | None:
        self.reads.append(name)
        await asyncio.sleep(0)
        return await super().past_report(channel, name)


async def listed(gateway: RunningGateway, **query: str) -> Any:
    return (await gateway.http.get("api/history", params=query)).json()


async def test_the_history_of_a_channel(broker: Broker) -> None:
    """Has every kept report, newest first, with its counts and where it stands; none of another channel."""
    stored = [await broker.publish(CHANNEL, publication(mark)) for mark in (1, 2)]
    await broker.publish("dns", publication(3))
    async with running_gateway(broker, (CHANNEL, "dns", "empty")) as gateway:
        newest, oldest = await listed(gateway)

        published = publication(2)
        assert newest == {
            "name": stored[1].name,
            "epoch": stored[1].position.epoch,
            "offset": 2,
            "publishedAt": "2026-11-23T12:00:00.000Z",
            "modifiedAt": "2026-11-23T12:00:00.000Z",
            "timestamp": audit(2)["timestamp"],
            "health": "green",
            "summary": {"total": 1, "missing": 0, "extra": 0, "dirty": 0, "clean": 1},
        }
        assert (oldest["name"], oldest["offset"]) == (stored[0].name, 1)
        assert (await gateway.http.get(f"audit/history/{newest['name']}")).content == published.body
        assert [each["offset"] for each in await listed(gateway, channel="dns")] == [1]
        assert await listed(gateway, channel="empty") == []
        assert (await gateway.http.get("api/history", params={"channel": "none"})).status_code == 404


async def test_what_a_client_has_already(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """Is not sent again, until there is another report; encoded as the client takes it."""
    first = await gateway.http.get("api/history")
    known = {"If-None-Match": first.headers["ETag"]}

    assert (await gateway.http.get("api/history", headers=known)).status_code == 304
    assert (await gateway.http.head("api/history")).headers["ETag"] == first.headers["ETag"]
    for mark in range(2, 8):
        await memory_broker.publish(CHANNEL, publication(mark))
    other = await gateway.http.get("api/history", headers=known)
    assert (other.status_code, len(other.json())) == (200, 7)
    assert other.headers["Content-Encoding"] == "gzip"
    assert (await gateway.http.get("api/history", headers={"Accept-Encoding": "identity;q=0"})).status_code == 406


async def test_it_takes_the_read_token(memory_broker: MemoryBroker) -> None:
    """As everything that tells of reports."""
    async with running_gateway(memory_broker, gateway_read_token="read-read-read") as gateway:
        assert (await gateway.http.get("api/history")).status_code == 401
        assert await listed(gateway, access_token="read-read-read") == []


async def test_the_broker_is_away(memory_broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made last is given at once, as nothing can have come since; but none of another epoch."""
    await memory_broker.publish(CHANNEL, publication(1))
    async with running_gateway(memory_broker) as gateway:
        await await_until("it has joined", lambda: gateway.feed.relay.is_connected)

        async def offsets(channel: str) -> dict[str, int]:
            raise BrokerError("memory", "nobody is there")

        with monkeypatch.context() as patched:
            patched.setattr(memory_broker, "offsets", offsets)
            assert (await gateway.http.get("api/history")).status_code == 503
        before = await listed(gateway)
        monkeypatch.setattr(memory_broker, "offsets", offsets)
        # Whether or not that is known already.
        assert await listed(gateway) == before
        gateway.feed.relay.is_connected = False
        assert await listed(gateway) == before
        assert gateway.feed.outlines.last(CHANNEL, "another") is None


async def test_each_report_is_read_once() -> None:
    """However many ask, at once and later; a new one alone is read for who comes then."""
    broker = CountsReads()
    for mark in (1, 2):
        await broker.publish(CHANNEL, publication(mark, f"report-{mark}"))
    outlines = Outlines(broker, Compressor())

    first, *others = await asyncio.gather(*(outlines.of(CHANNEL, "e") for _ in range(20)))
    await broker.publish(CHANNEL, publication(3, "report-3"))
    newer = await outlines.of(CHANNEL, "e")

    assert all(each is first for each in others)
    assert newer.digest != first.digest
    assert broker.reads == ["report-2.json", "report-1.json", "report-3.json"]


async def test_names_that_come_again() -> None:
    """Of a report that is kept no more, or that the broker lost with all of its data: they stand for the new one."""
    broker = CountsReads(HistoryLimits(max_reports=1))
    outlines = Outlines(broker, Compressor())
    for mark in ("a", "b", "c"):
        await broker.publish(CHANNEL, publication(mark, "same", health_status=mark))
        assert f'"health":"{mark}"'.encode() in (await outlines.of(CHANNEL, "e")).body.raw

    other = Outlines(lost := CountsReads(), Compressor())
    await lost.publish(CHANNEL, publication("x", "same", health_status="x"))
    await other.of(CHANNEL, "e")
    lost._channels.clear()
    await lost.publish(CHANNEL, publication("y", "same", health_status="y"))
    assert b'"health":"y"' in (await other.of(CHANNEL, "f")).body.raw


async def test_a_report_that_goes_meanwhile() -> None:
    """Is left out."""
    broker = CountsReads()
    await broker.publish(CHANNEL, publication(1, "kept"))

    async def offsets(channel: str) -> dict[str, int]:
        return {"gone.json": 2, "kept.json": 1}

    broker.offsets = offsets  # type: ignore[method-assign]
    assert b"gone" not in (await Outlines(broker, Compressor()).of(CHANNEL, "e")).body.raw


async def test_how_many() -> None:
    """The newest, and no more than a chart has points."""
    broker = CountsReads(HistoryLimits(max_reports=MAX_OUTLINES + 5))
    for mark in range(MAX_OUTLINES + 1):
        await broker.publish(CHANNEL, publication(mark, f"r-{mark}"))
    listing = await Outlines(broker, Compressor()).of(CHANNEL, "e")
    assert listing.body.raw.count(b'"name"') == MAX_OUTLINES
    assert b'"r-0.json"' not in listing.body.raw
