"""Where the time of a change goes, from the file to the client: as it is told, and as it is counted."""

import contextlib
import dataclasses
import datetime
import json
import os
import statistics
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from reportcast.broker.memory import MemoryBroker
from reportcast.broker.redis import RedisBroker
from reportcast.contracts.clock import utc_now
from reportcast.contracts.messages import INLINE_BYTES
from reportcast.contracts.trace import Skew, Trace
from websockets.asyncio.client import ClientConnection

from tests.support.redis_server import RedisServer
from tests.support.reports import audit_bytes, change, publication
from tests.support.running import CHANNEL, RunningGateway, RunningWatcher, running_gateway, running_watcher
from tests.support.wait import await_until

HOPS = ["detect", "settle", "publish", "relay", "prepare", "write"]
AHEAD = datetime.timedelta(minutes=5)
AHEAD_MS = 300_000


def ahead() -> datetime.datetime:
    """Give what a clock says that is off by minutes."""
    return utc_now() + AHEAD


def put(path: Path, content: bytes, by: datetime.timedelta = datetime.timedelta()) -> float:
    """Put a report in its place on a host whose clock is off ``by``; give its modification time."""
    new = path.with_suffix(".new")
    new.write_bytes(content)
    modified_s = new.stat().st_mtime + by.total_seconds()
    os.utime(new, (modified_s, modified_s))
    new.rename(path)
    return path.stat().st_mtime


async def trace_of(gateway: RunningGateway) -> dict[str, Any]:
    """Ask ``/api/trace``."""
    answer: dict[str, Any] = (await gateway.http.get("api/trace")).json()
    return answer


async def next_change(client: ClientConnection) -> dict[str, Any]:
    """Give the next snapshot or delta."""
    async for text in client:
        frame: dict[str, Any] = json.loads(text)
        if frame["type"] in {"snapshot", "delta"}:
            return frame
    raise AssertionError("the connection was closed")


@dataclasses.dataclass(frozen=True)
class System:
    """All that is between a file and a client, who was given the report that was there."""

    path: Path
    watcher: RunningWatcher
    gateway: RunningGateway
    client: ClientConnection


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[RedisBroker]:
    """Give a service's broker."""
    broker = RedisBroker(url)
    yield broker
    await broker.close()


@contextlib.asynccontextmanager
async def system(url: str, path: Path, watcher_now: Any = utc_now, gateway_now: Any = utc_now) -> AsyncIterator[System]:
    """Run it on Redis, until the end of the block."""
    put(path, audit_bytes(0))
    async with (
        connected(url) as there,
        connected(url) as here,
        running_watcher(there, path, watcher_now) as watcher,
        running_gateway(here, now=gateway_now) as gateway,
        gateway.connect_v1() as client,
    ):
        assert "hops_ms" not in await next_change(client)
        await await_until("the gateway's clock is compared", lambda: gateway.feed.clock.skew)
        offset = "reportcast_watcher_clock_offset_seconds"
        await await_until("the watcher's clock is compared", lambda: watcher.has(offset))
        yield System(path, watcher, gateway, client)


async def test_the_hops_add_up(redis_server: RedisServer, tmp_path: Path) -> None:
    """To what is measured from the file to the client, within 1 ms on one host."""
    unexplained_ms = []
    async with system(redis_server.url, tmp_path / "r.json") as running:
        for mark in range(1, 12):
            modified_s = put(running.path, audit_bytes(mark))
            frame = await next_change(running.client)
            measured_ms = (utc_now().timestamp() - modified_s) * 1000
            told = (await trace_of(running.gateway))["changes"][0]

            assert list(told["hopsMs"]) == HOPS
            assert told["hopsMs"].items() >= frame["hops_ms"].items()
            assert list(frame["hops_ms"]) == HOPS[:4]
            assert sum(told["hopsMs"].values()) == pytest.approx(told["ageMs"], abs=0.0001)
            assert told["clients"] == 1
            unexplained_ms.append(abs(measured_ms - told["ageMs"]))
        # Of a machine that is busy with other things, a client may have its turn late.
        assert statistics.median(unexplained_ms) < 1

        for hop in HOPS[:3]:
            assert running.watcher.metric("reportcast_watcher_hop_seconds_count", hop=hop) == 11
        for hop in HOPS[3:]:
            count = await running.gateway.metric("reportcast_gateway_hop_seconds_count", channel=CHANNEL, hop=hop)
            assert count == 11
        assert await running.gateway.metric("reportcast_gateway_age_seconds_count", channel=CHANNEL) == 11


@pytest.mark.parametrize("service", ["watcher", "gateway"])
async def test_clocks_that_differ(redis_server: RedisServer, tmp_path: Path, service: str) -> None:
    """By minutes: that is found out, shown, and does not make the hops wrong."""
    clock: dict[str, Any] = {f"{service}_now": ahead}
    by = AHEAD if service == "watcher" else datetime.timedelta()
    async with system(redis_server.url, tmp_path / "r.json", **clock) as running:
        put(running.path, audit_bytes(1), by)
        frame = await next_change(running.client)
        told = await trace_of(running.gateway)
        (change,) = told["changes"]
        gauge = "reportcast_%s_clock_offset_seconds"
        offsets_s = {
            "watcher": running.watcher.metric(gauge % "watcher", of="broker"),
            "gateway": await running.gateway.metric(gauge % "gateway", of="broker"),
        }

    for each in ("watcher", "gateway"):
        expected_ms = -AHEAD_MS if each == service else 0
        for clocks in (told["clocks"], change["clocks"]):
            assert clocks[each]["offsetMs"] == pytest.approx(expected_ms, abs=clocks[each]["uncertaintyMs"] + 0.1)
            assert clocks[each]["uncertaintyMs"] < 1000
        assert offsets_s[each] == pytest.approx(expected_ms / 1000, abs=1)
    # Far less than the clocks differ, and no more wrong than is told.
    assert -change["uncertaintyMs"] <= frame["hops_ms"]["relay"] < AHEAD_MS / 10
    assert 0 < change["ageMs"] < AHEAD_MS / 10


async def test_what_is_too_large_for_a_message(redis_server: RedisServer, tmp_path: Path) -> None:
    """And comes whole is traced, too: it is received when it was read."""
    async with system(redis_server.url, tmp_path / "r.json") as running:
        put(running.path, audit_bytes(1, more="x" * INLINE_BYTES))
        frame = await next_change(running.client)
        (told,) = (await trace_of(running.gateway))["changes"]

    assert frame["type"] == "snapshot"
    assert list(frame["hops_ms"]) == HOPS[:4]
    assert list(told["hopsMs"]) == HOPS


def traced(before: int, after: int, skew: Skew | None, published: datetime.datetime) -> Any:
    """Give a change on its way whose watcher says when it came by."""
    us = int(published.timestamp() * 1_000_000)
    trace = Trace(us - 5000, us - 3000, us - 1000, us, skew)
    return dataclasses.replace(change(before, after), trace=trace)


@pytest.fixture
async def following(memory_broker: MemoryBroker) -> AsyncIterator[RunningGateway]:
    """Give a gateway that follows, and has compared its clock."""
    await memory_broker.publish(CHANNEL, publication(0))
    async with running_gateway(memory_broker) as gateway:
        await await_until("it follows", lambda: gateway.feed.replica.snapshot and gateway.feed.clock.skew)
        yield gateway


async def told_changes(gateway: RunningGateway, count: int) -> list[dict[str, Any]]:
    """Give what is told once so many changes were written."""
    await await_until("all are written", lambda: len(gateway.feed.traces.tell()["changes"]) == count)
    changes: list[dict[str, Any]] = (await trace_of(gateway))["changes"]
    return changes


async def test_a_negative_hop_is_shown(memory_broker: MemoryBroker, following: RunningGateway) -> None:
    """As it is, and named; a histogram takes it as 0."""
    await memory_broker.publish(CHANNEL, traced(0, 1, Skew(0, 7000), ahead()))

    (told,) = await told_changes(following, 1)

    assert told["hopsMs"]["relay"] == pytest.approx(-AHEAD_MS, abs=60_000)
    assert told["negative"] == ["relay"]
    assert told["uncertaintyMs"] == 7
    assert await following.metric("reportcast_gateway_age_seconds_sum", channel=CHANNEL) == 0


async def test_what_is_not_known_is_left_out(memory_broker: MemoryBroker, following: RunningGateway) -> None:
    """Of a watcher that has not compared its clock, nothing is told across the two."""
    async with following.connect_v1() as client:
        await next_change(client)
        await memory_broker.publish(CHANNEL, traced(0, 1, None, utc_now()))
        frame = await next_change(client)
        (told,) = await told_changes(following, 1)

    assert frame["hops_ms"] == {"detect": 2, "settle": 2, "publish": 1}
    assert [*told["hopsMs"]] == ["detect", "settle", "publish", "prepare", "write"]
    assert (told["ageMs"], told["uncertaintyMs"], told["clocks"]["watcher"]) == (None, None, None)


async def test_followers_of_a_part_are_told_and_waited_for(
    memory_broker: MemoryBroker, following: RunningGateway
) -> None:
    """They get the same hops, and a change is written when they have it, too."""
    async with following.connect_v1() as whole, following.connect_v1("status=dirty,clean") as part:
        await next_change(whole)
        await next_change(part)
        await memory_broker.publish(CHANNEL, traced(0, 1, Skew(0, 0), utc_now()))
        frames = [await next_change(client) for client in (whole, part)]
        (told,) = await told_changes(following, 1)

    assert frames[0]["hops_ms"] == frames[1]["hops_ms"]
    assert frames[0]["digest"] != "" != frames[1]["digest"]
    assert told["clients"] == 2
    assert told["ageMs"] is not None


async def test_only_changes_that_were_seen_are_traced(memory_broker: MemoryBroker, following: RunningGateway) -> None:
    """And no more than the last hundred are remembered, newest first."""
    await memory_broker.publish(CHANNEL, change(0, 1))
    for mark in range(1, 103):
        await memory_broker.publish(CHANNEL, traced(mark, mark + 1, Skew(0, 0), utc_now()))
    await await_until("all came", lambda: following.feed.replica.snapshot.offset == 104)  # type: ignore[union-attr]

    told = await told_changes(following, 100)

    assert [each["offset"] for each in told] == [*range(104, 4, -1)]


async def test_a_channel_that_is_not_served(following: RunningGateway) -> None:
    """Is 404, as elsewhere."""
    assert (await following.http.get("api/trace", params={"channel": "x"})).status_code == 404
