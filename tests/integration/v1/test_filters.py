"""Who follows a part of a report with ``reportcast.v1``, and how many parts there may be."""

import asyncio
import contextlib
import hashlib
import json
import threading
from typing import Any

import pytest
import websockets.exceptions
from gateway.audiences import MAX_FILTER_BYTES, MAX_FILTERS, MAX_IDLE_FILTERS
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.delta import apply

from tests.support.reports import audit, publication
from tests.support.running import CHANNEL, Running, RunningGateway, running_gateway
from tests.support.v1 import take, text_of, until
from tests.support.wait import await_until


def repos(mark: int, **statuses: str) -> dict[str, Any]:
    """Give the fields of a report with these repositories."""
    return {"timestamp": f"t{mark}", "repos": [{"name": name, "status": each} for name, each in statuses.items()]}


async def test_a_filter(memory_broker: MemoryBroker, running: Running) -> None:
    """Lets a part through: its digests, its changes, and the channel's positions."""
    reports = [
        publication("x", **repos(0, a="clean", b="dirty", c="dirty")),
        publication("y", **repos(1, a="dirty", b="dirty", c="clean")),
    ]
    await memory_broker.publish(CHANNEL, reports[0])
    async with running(memory_broker) as gateway:
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)
        async with gateway.connect_v1("status=dirty&name=a,b") as client, gateway.connect_v1("name=b,a&status=dirty"):
            body = text_of(await until(client, "snapshot"), "data")
            await memory_broker.publish(CHANNEL, reports[1])
            raw = await until(client, "delta")
            assert len(gateway.feed.audiences) == 2

    assert [repo["name"] for repo in json.loads(body)["repos"]] == ["b"]
    delta = json.loads(raw)
    after = apply(text_of(raw, "changes"), body)
    assert (delta["type"], delta["offset"]) == ("delta", 2)
    assert [repo["name"] for repo in json.loads(after)["repos"]] == ["a", "b"]
    assert (delta["base"], delta["digest"]) == (hashlib.sha256(body).hexdigest(), hashlib.sha256(after).hexdigest())


async def test_a_filter_of_a_large_report(memory_broker: MemoryBroker) -> None:
    """All else goes on meanwhile."""
    names = {f"repo-{number}-{'x' * 50}": "clean" for number in range(2000)}
    await memory_broker.publish(CHANNEL, publication("a", **repos(0, wanted="dirty", **names)))
    async with running_gateway(memory_broker) as gateway:
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)
        async with gateway.connect_v1("status=dirty") as client:
            snapshot = json.loads(await until(client, "snapshot"))
            assert snapshot["data"]["repos"] == repos(0, wanted="dirty")["repos"]
            await memory_broker.publish(CHANNEL, publication("b", **repos(1, wanted="dirty", **names)))
            delta = json.loads(await until(client, "delta"))

    assert delta["changes"]["set"] == {"timestamp": "t1"}


async def test_filters_are_bounded(gateway: RunningGateway) -> None:
    """Who comes with one too many while all are in use is told, and given the whole; an idle one makes room."""
    async with contextlib.AsyncExitStack() as stack:
        for number in range(MAX_FILTERS):
            client = await stack.enter_async_context(gateway.connect_v1(f"name=repo-{number}"))
            await until(client, "snapshot")
        async with gateway.connect_v1("name=one-more") as client:
            _, error, _, snapshot = await take(client, "hello", "error", "following", "snapshot")
    async with gateway.connect_v1("name=one-more") as client:
        part = json.loads(await until(client, "snapshot"))

    assert error["code"] == "too_many"
    assert snapshot["data"] == audit(3)
    assert part["data"]["repos"] == []


async def test_filters_of_a_large_report_are_fewer(memory_broker: MemoryBroker) -> None:
    """Each keeps a part of it."""
    await memory_broker.publish(CHANNEL, publication("x" * 2_000_000, "large"))
    async with running_gateway(memory_broker) as gateway, contextlib.AsyncExitStack() as stack:
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)
        for number in range(MAX_FILTERS):
            client = await stack.enter_async_context(gateway.connect_v1(f"name=repo-{number}"))
            _, second = [json.loads(await client.recv()) for _ in range(2)]
            if second["type"] == "error":
                break

    assert 0 < number <= MAX_FILTER_BYTES // 4_000_000


async def test_a_report_that_grows_ends_filters(memory_broker: MemoryBroker) -> None:
    """Until the parts of it take no more memory than they may; who comes back is told, and given the whole."""
    await memory_broker.publish(CHANNEL, publication(1))
    async with running_gateway(memory_broker) as gateway, contextlib.AsyncExitStack() as stack:
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)
        clients = [
            await stack.enter_async_context(gateway.connect_v1(f"name=repo-{number}", max_size=None))
            for number in range(20)
        ]
        for client in clients:
            await until(client, "snapshot")
        await memory_broker.publish(CHANNEL, publication("x" * 8_000_000, "large"))
        await await_until("some are ended", lambda: len(gateway.feeds.roster) < 20)

        assert 0 < len(gateway.feed.audiences._filtered) <= MAX_FILTER_BYTES // 16_000_000
        assert json.loads(await until(clients[0], "delta"))["offset"] == 2


async def test_a_gateway_ends_while_a_part_is_made(
    memory_broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No task is left behind, though a thread is still at it."""
    begun, may_end = threading.Event(), threading.Event()

    def make(*_: object) -> None:
        begun.set()
        may_end.wait(10)

    monkeypatch.setattr("gateway.filtered.FilteredAudience._make", make)
    await memory_broker.publish(CHANNEL, publication(1))
    async with running_gateway(memory_broker) as gateway:
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)
        async with gateway.connect_v1("name=repo-1"):
            await await_until("the part is being made", begun.is_set)
    await asyncio.sleep(0)  # a turn of the loop for what was cancelled
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    may_end.set()

    assert left == []


async def test_filters_that_nobody_uses_are_forgotten(gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while, for somebody may come back; those in use stay."""
    monkeypatch.setattr("gateway.audiences.IDLE_FILTER_S", 0.1)
    async with gateway.connect_v1("name=used") as staying, gateway.connect_v1("name=left"):
        await until(staying, "snapshot")
    filters = gateway.feed.audiences._filtered
    async with gateway.connect_v1("name=used") as staying:
        await until(staying, "snapshot")
        await await_until("one is forgotten", lambda: len(filters) == 1)

        assert [which.names for which in filters] == [frozenset({"used"})]


async def test_many_filters_that_nobody_uses(gateway: RunningGateway) -> None:
    """Few of them are kept for who comes back: each costs at every change."""
    for number in range(MAX_IDLE_FILTERS + 3):
        async with gateway.connect_v1(f"name=repo-{number}") as client:
            await until(client, "snapshot")

    await await_until("the oldest are forgotten", lambda: len(gateway.feed.audiences._filtered) == MAX_IDLE_FILTERS)


async def test_a_filter_that_fails(gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its clients are cut off; it is no matter of the others."""

    def fail(*_: object) -> bytes:
        raise RuntimeError("a fault")

    monkeypatch.setattr("gateway.filtered.view", fail)
    async with gateway.connect_v1() as other, gateway.connect_v1("name=a") as client:
        with pytest.raises(websockets.exceptions.ConnectionClosed):
            await until(client, "snapshot")
        await until(other, "status")
        assert gateway.feed.audiences._filtered == {}
        async with gateway.connect_v1("name=a") as again:
            assert "cannot be made" in json.loads(await until(again, "error"))["message"]
            assert json.loads(await until(again, "snapshot"))["data"] == audit(3)


async def test_a_name_with_many_stars(gateway: RunningGateway) -> None:
    """A run of them is one; more than a few are refused, for each is looked for in every name."""
    async with gateway.connect_v1("name=" + "*" * 165 + "3") as client:
        assert json.loads(await until(client, "snapshot"))["data"]["repos"] == audit(3)["repos"]
    async with gateway.connect_v1("name=*a*b*c*d*") as client:
        error = json.loads(await until(client, "error"))

    assert error["message"] == "a name may have at most 4 stars"
