"""
The subprotocol ``reportcast.v1`` on a real server, by what a client is told.

Most tests run twice: on transports that uvicorn hands off, and over plain ASGI.
"""

import asyncio
import contextlib
import hashlib
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
import websockets.exceptions
from gateway.audiences import MAX_FILTER_BYTES, MAX_FILTERS, MAX_IDLE_FILTERS
from gateway.relay import VERIFY_S
from msgspec.structs import replace
from reportcast.broker.keys import keys_of
from reportcast.broker.memory import MemoryBroker
from reportcast.broker.redis import RedisBroker
from reportcast.contracts.close_codes import CloseCode
from reportcast.contracts.delta import apply
from reportcast.contracts.messages import Changed, Delta, Source, SourceState
from reportcast.contracts.position import Position
from reportcast.contracts.report import parse_report
from websockets.asyncio.client import ClientConnection

from tests.support.redis_server import RedisServer
from tests.support.reports import audit, audit_bytes, change, publication
from tests.support.running import CHANNEL, SINCE, Running, RunningGateway, live, running_gateway, running_watcher
from tests.support.wait import await_until


async def take(client: ClientConnection, *kinds: str) -> list[dict[str, Any]]:
    """Give the next messages, which have to be of these types."""
    frames = [json.loads(await client.recv()) for _ in kinds]
    assert [frame["type"] for frame in frames] == list(kinds)
    return frames


async def until(client: ClientConnection, kind: str) -> str | bytes:
    """Give the next message of a type, as it came."""
    while json.loads(raw := await client.recv())["type"] != kind:
        pass
    return raw


async def publish(broker: MemoryBroker, first: int, last: int) -> None:
    """Publish the reports from one mark to another, each as what changed."""
    for mark in range(first, last + 1):
        await broker.publish(CHANNEL, change(mark - 1, mark))


def text_of(frame: str | bytes, name: str) -> bytes:
    """Give the exact text of a frame's last member."""
    raw = frame if isinstance(frame, bytes) else frame.encode()
    return raw.partition(b'"%s":' % name.encode())[2].removesuffix(b"}")


@pytest.fixture
async def gateway(memory_broker: MemoryBroker, running: Running) -> AsyncIterator[RunningGateway]:
    """Give a gateway that has seen three reports, on each transport in turn."""
    await memory_broker.publish(CHANNEL, publication(1))
    await memory_broker.set_source(CHANNEL, live())
    async with running(memory_broker, channels=(CHANNEL, "dns")) as gateway:
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)
        await publish(memory_broker, 2, 3)
        await await_until("it has all", lambda: where(gateway).offset == 3)
        yield gateway


def where(gateway: RunningGateway) -> Position:
    """Tell where the gateway stands."""
    assert gateway.feed.replica.snapshot is not None
    return gateway.feed.replica.snapshot.position


def at(gateway: RunningGateway, offset: int) -> str:
    """Give the part of an address that says where a client stands."""
    return f"epoch={where(gateway).epoch}&offset={offset}"


async def test_who_connects(gateway: RunningGateway) -> None:
    """Is told who serves it, what it follows, the whole report with where it stands, and how it fares."""
    async with gateway.connect_v1() as client:
        assert client.subprotocol == "reportcast.v1"
        hello, following, snapshot, status = await take(client, "hello", "following", "snapshot", "status")

    position = where(gateway)
    assert hello["protocol"] == "reportcast.v1"
    assert (hello["channels"], hello["heartbeat_s"]) == ([CHANNEL, "dns"], 30)
    assert following == {
        "type": "following", "channel": CHANNEL, "epoch": position.epoch, "offset": 3, "recovered": False
    }  # fmt: skip
    assert (snapshot["epoch"], snapshot["offset"], snapshot["data"]) == (position.epoch, 3, audit(3))
    assert snapshot["digest"] == publication(3).digest
    assert status["stale"] is False
    assert status["source"]["state"] == "live"
    assert status["reasons"] == []


async def test_a_change_is_told_alone(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """What it starts from and leads to is said, and comes of it to the byte."""
    async with gateway.connect_v1() as client:
        await take(client, "hello", "following")
        body = text_of(await client.recv(), "data")
        await take(client, "status")
        await publish(memory_broker, 4, 4)
        raw = await client.recv()

    delta = json.loads(raw)
    assert (delta["type"], delta["offset"]) == ("delta", 4)
    assert delta["base"] == hashlib.sha256(body).hexdigest()
    after = apply(text_of(raw, "changes"), body)
    assert after == publication(4).body
    assert delta["digest"] == hashlib.sha256(after).hexdigest()


@pytest.mark.parametrize(("offset", "missed"), [(3, []), (1, [2, 3]), (2, [3])])
async def test_who_comes_back(gateway: RunningGateway, offset: int, missed: list[int]) -> None:
    """Is given the changes since, none missing, and nothing else."""
    async with gateway.connect_v1(at(gateway, offset)) as client:
        _, following, *deltas = await take(client, "hello", "following", *["delta"] * len(missed))
        await take(client, "status")

    assert following["recovered"] is True
    assert [delta["offset"] for delta in deltas] == missed
    assert await gateway.metric("reportcast_gateway_resumed_total", outcome="recovered") == 1


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("epoch=0123456789abcdef&offset=2", "another epoch"),
        ("epoch={epoch}&offset=0", "not kept any more"),
    ],
)
async def test_who_cannot_be_given_what_it_missed(gateway: RunningGateway, query: str, why: str) -> None:
    """Is told why, and given the whole."""
    async with gateway.connect_v1(query.format(epoch=where(gateway).epoch)) as client:
        _, following, snapshot = await take(client, "hello", "following", "snapshot")

    assert following["recovered"] is False
    assert why in following["reason"]
    assert snapshot["offset"] == 3
    assert await gateway.metric("reportcast_gateway_resumed_total", outcome="refused") == 1


async def test_who_knows_more_than_the_gateway(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """Is not taken back, and not given a second time what it has."""
    async with gateway.connect_v1(at(gateway, 4)) as client:
        _, following, _ = await take(client, "hello", "following", "status")
        await publish(memory_broker, 4, 5)
        first, second = await take(client, "delta", "delta")

    assert (following["offset"], following["recovered"]) == (3, True)
    assert (first["offset"], second["offset"]) == (4, 5)


async def test_a_gateway_that_starts_later(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """Knows what came before it, from the broker."""
    async with running_gateway(memory_broker) as other:
        await await_until("it has the report", lambda: other.feed.replica.snapshot)
        async with other.connect_v1(at(gateway, 1)) as client:
            _, following, *_ = await take(client, "hello", "following", "delta", "delta", "status")

    assert following["recovered"] is True


async def test_changes_that_are_more_than_the_whole(memory_broker: MemoryBroker, running: Running) -> None:
    """Are not given one by one."""
    await memory_broker.publish(CHANNEL, publication(0))
    async with running(memory_broker) as gateway:
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)
        await publish(memory_broker, 1, 500)
        await await_until("it has all", lambda: where(gateway).offset == 501)
        async with gateway.connect_v1(at(gateway, 1)) as client:
            _, following, _ = await take(client, "hello", "following", "snapshot")

    assert following["reason"] == "the changes since then are more than the whole report"


@pytest.mark.parametrize(
    ("query", "code", "says"),
    [
        ("epoch=x&offset=1", "bad_position", "16 hexadecimal digits"),
        ("epoch={epoch}", "bad_position", "and an offset"),
        ("epoch={epoch}&offset=-1", "bad_position", "and an offset"),
        ("channel=nope", "unknown_channel", "served are: audit, dns"),
        ("name=" + "x" * 201, "bad_filter", "1 to 200 characters"),
        ("status=" + ",".join(map(str, range(33))), "bad_filter", "1 to 32 of"),
        ("channel=audit&channel=dns&status=dirty", "bad_filter", "only audit reports"),
    ],
)
async def test_a_wish_that_cannot_be_met(gateway: RunningGateway, query: str, code: str, says: str) -> None:
    """Is answered with what was wrong, and the newest of what can be served is given all the same."""
    async with gateway.connect_v1(query.format(epoch=where(gateway).epoch)) as client:
        frames = [json.loads(await client.recv()) for _ in range(4)]
        if "channel=audit" in query:
            frames += [json.loads(await client.recv()) for _ in range(3)]

    (error,) = (frame for frame in frames if frame["type"] == "error")
    assert error["code"] == code
    assert says in error["message"]
    assert any(frame["type"] == "snapshot" and frame["offset"] == 3 for frame in frames)
    assert await gateway.metric("reportcast_gateway_bad_requests_total") == 1


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("[]", "bad_message"),
        ("{", "bad_message"),
        ('{"type":1}', "bad_message"),
        ('{"type":"follow","channel":1}', "bad_message"),
        ('{"type":"dance"}', "unknown_type"),
        ('{"type":"follow","channel":"nope"}', "unknown_channel"),
        ('{"type":"unfollow","channel":"dns"}', "unknown_channel"),
        ('{"type":"request-update","channel":"dns"}', "unknown_channel"),
        ('{"type":"follow","channel":"dns","names":["a"]}', "bad_filter"),
        ('{"type":"follow","channel":"dns","names":"a"}', "bad_filter"),
        ('{"type":"follow","epoch":1,"offset":true}', "bad_position"),
    ],
)
async def test_a_message_that_cannot_be_answered(gateway: RunningGateway, message: str, code: str) -> None:
    """Is told so in one sentence, and the connection stays."""
    async with gateway.connect_v1() as client:
        await take(client, "hello", "following", "snapshot", "status")
        await client.send(message)
        (error,) = await take(client, "error")
        assert error["code"] == code
        await client.send('{"type":"ping"}')
        while json.loads(await client.recv())["type"] != "pong":
            pass


async def test_several_channels(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """On one connection, each from where the client stands; one can be left, and followed again."""
    query = f"channel=dns&channel={CHANNEL}"
    async with gateway.connect_v1(query) as client:
        _, dns, _, first, *_ = await take(client, "hello", "following", "status", "following", "snapshot", "status")
        assert (dns["channel"], dns["epoch"], first["channel"]) == ("dns", None, CHANNEL)
        await memory_broker.publish("dns", publication("d"))
        (snapshot,) = await take(client, "snapshot")
        assert (snapshot["channel"], snapshot["data"]) == ("dns", audit("d"))
        while json.loads(await client.recv())["type"] != "status":  # no report is missing any more
            pass
        await client.send(json.dumps({"type": "unfollow", "channel": CHANNEL}))
        await client.send('{"type":"ping"}')
        await take(client, "pong")
        await publish(memory_broker, 4, 4)
        await await_until("it has all", lambda: where(gateway).offset == 4)
        follow = {"type": "follow", "channel": CHANNEL, "epoch": where(gateway).epoch, "offset": 3}
        await client.send(json.dumps(follow))
        again, delta, _ = await take(client, "following", "delta", "status")

    assert (again["recovered"], delta["offset"]) == (True, 4)


async def test_the_whole_on_request(gateway: RunningGateway) -> None:
    """Whatever the client has."""
    async with gateway.connect_v1(at(gateway, 3)) as client:
        await take(client, "hello", "following", "status")
        await client.send('{"type":"request-update"}')
        (snapshot,) = await take(client, "snapshot")

    assert snapshot["offset"] == 3


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


async def test_when_it_ends(memory_broker: MemoryBroker, running: Running) -> None:
    """A client is told when to come back, before the close frame says so, too."""
    async with running(memory_broker) as gateway, gateway.connect_v1() as client:
        await take(client, "hello", "following", "status")
        gateway.stop()
        (drain,) = await take(client, "drain")
        with pytest.raises(websockets.exceptions.ConnectionClosed):
            await client.recv()

    assert client.close_code == CloseCode.SERVICE_RESTART
    assert json.loads(client.close_reason or "") == {"retry_after_ms": drain["retry_after_ms"]}


async def test_a_sign_of_life(memory_broker: MemoryBroker, running: Running) -> None:
    """That a page can see, which is not told of pings."""
    async with running(memory_broker, gateway_ping_interval_s=0.2) as gateway, gateway.connect_v1() as client:
        await take(client, "hello", "following", "status", "heartbeat", "heartbeat")


async def test_how_it_fares(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """Is told when it changes, and not when it does not."""
    async with gateway.connect_v1() as client:
        await take(client, "hello", "following", "snapshot", "status")
        await memory_broker.set_source(CHANNEL, live())
        rejected = Source(SourceState.REJECTED, SINCE, "report is empty", heard_at=live().heard_at)
        await memory_broker.set_source(CHANNEL, rejected)
        (status,) = await take(client, "status")

    assert (status["source"]["state"], status["source"]["reason"]) == ("rejected", "report is empty")
    assert "report is empty" in status["reasons"][0]
    assert status["stale"] is False


@pytest.mark.parametrize("lie", ["base", "digest", "body"])
async def test_a_change_that_does_not_fit(gateway: RunningGateway, memory_broker: MemoryBroker, lie: str) -> None:
    """Never reaches a client: the gateway finds out, reads the whole again, and goes on from there."""
    snapshot = gateway.feed.replica.snapshot
    assert snapshot is not None
    honest = change(3, 4)
    delta = Delta(
        snapshot.epoch, 4, "4.json", snapshot.digest, honest.digest, honest.published_at, honest.modified_at, (),
        honest.delta,
    )  # fmt: skip
    forged = replace(delta, **{lie: b"{}" if lie == "body" else "0" * 64})
    async with gateway.connect_v1() as client:
        await take(client, "hello", "following", "snapshot", "status")
        memory_broker._messages.publish(CHANNEL, forged)
        await await_until("it was found out", lambda: gateway.feed.relay._fruitless_s > 0)
        assert where(gateway).offset == 3
        await asyncio.sleep(1)  # another one is not followed up at once
        await publish(memory_broker, 4, 4)
        (delta_frame,) = await take(client, "delta")

    assert delta_frame["offset"] == 4
    assert await gateway.metric("reportcast_gateway_diverged_total") == 1


async def test_a_report_too_large_for_a_message(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """Is read when word of it comes; what was missed before it comes step by step where it can."""
    async with gateway.connect_v1() as client:
        await take(client, "hello", "following", "snapshot", "status")
        held = memory_broker._messages._queues
        memory_broker._messages._queues = {}  # nobody hears of these
        await publish(memory_broker, 4, 5)
        memory_broker._messages._queues = held
        memory_broker._messages.publish(CHANNEL, Changed(where(gateway).epoch, 5))
        first, second = await take(client, "delta", "delta")

    assert (first["offset"], second["offset"]) == (4, 5)


async def test_another_epoch(redis_broker: RedisBroker, redis_server: RedisServer) -> None:
    """Everybody is given the whole, with its new position."""
    await redis_broker.publish(CHANNEL, publication(1))
    async with running_gateway(redis_broker) as gateway:
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)
        async with gateway.connect_v1() as client:
            _, _, first, _ = await take(client, "hello", "following", "snapshot", "status")
            async with redis.asyncio.Redis.from_url(redis_server.url) as direct:
                await direct.hset(keys_of(CHANNEL).state, "server", "0" * 40)
            await redis_broker.publish(CHANNEL, change(1, 2))
            (second,) = await take(client, "snapshot")

    assert second["epoch"] != first["epoch"]
    assert (first["offset"], second["offset"]) == (1, 2)


async def test_foreign_messages(redis_broker: RedisBroker, redis_server: RedisServer) -> None:
    """Are counted and ignored; none reaches a client or ends the relay."""
    await redis_broker.publish(CHANNEL, publication(1))
    async with running_gateway(redis_broker) as gateway:
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)
        direct = redis.asyncio.Redis.from_url(redis_server.url)
        async with gateway.connect_v1() as client, direct:
            await take(client, "hello", "following", "snapshot", "status")
            for foreign in (b"", b"\xff\xfe", b"{}", b'{"type":"delta"}', b"x" * 100_000, b'{"type":"dance"}'):
                await direct.publish(keys_of(CHANNEL).messages, foreign)
            await redis_broker.publish(CHANNEL, change(1, 2))
            (delta,) = await take(client, "delta")

    assert delta["offset"] == 2
    assert VERIFY_S  # the relay has been there all the time: nothing was read again


def thousand(moment: int, dirty: int) -> bytes:
    """Give a report file of a thousand repositories, as the auditor writes it; some of them are dirty."""
    listed = [
        {
            "name": f"homelab-{number:04}",
            "status": "dirty" if number < dirty else "clean",
            "clone_url": f"https://git.example.net/homelab/homelab-{number:04}.git",
            "local_path": f"/mnt/git/homelab-{number:04}",
            "dashboard_link": f"/audit/homelab-{number:04}?action=view",
        }
        for number in range(1000)
    ]
    return audit_bytes(moment, repos=listed, summary={"total": 1000, "dirty": dirty, "clean": 1000 - dirty})


async def test_one_changed_repository_of_a_thousand(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """From the file to the client: less than 1 KiB on the wire, and a fiftieth of the report."""
    path = tmp_path / "r.json"
    path.write_bytes(thousand(1, 10))
    async with running_watcher(memory_broker, path), running_gateway(memory_broker) as gateway:
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)
        async with gateway.connect_v1(compression=None) as client:
            whole = [await client.recv() for _ in range(3)][-1]
            path.write_bytes(thousand(2, 11))
            while json.loads(raw := await client.recv())["type"] != "delta":
                pass

    (changed,) = json.loads(raw)["changes"]["changed"]
    assert (changed["name"], changed["from"], changed["to"]) == ("homelab-0010", "clean", "dirty")
    assert len(raw) < min(1024, len(whole) / 50)
    assert apply(text_of(raw, "changes"), text_of(whole, "data")) == parse_report(thousand(2, 11)).body


async def test_a_message_that_leads_nowhere_delays_the_next_by_a_second(
    gateway: RunningGateway, memory_broker: MemoryBroker
) -> None:
    """At most: what was announced after it is read."""
    async with gateway.connect_v1(at(gateway, 3)) as client:
        await until(client, "status")
        memory_broker._messages.publish(CHANNEL, Changed("f" * 16, 1))
        held, memory_broker._messages._queues = memory_broker._messages._queues, {}  # nobody hears of this
        await publish(memory_broker, 4, 4)
        memory_broker._messages._queues = held
        memory_broker._messages.publish(CHANNEL, Changed("f" * 16, 2))
        async with asyncio.timeout(VERIFY_S / 2):
            assert json.loads(await until(client, "delta"))["offset"] == 4


@pytest.mark.parametrize("offset", [4, 9])
async def test_a_report_that_is_not_what_it_says(
    gateway: RunningGateway, memory_broker: MemoryBroker, offset: int
) -> None:
    """Never reaches a client, whether it would be the next or not."""
    held = gateway.feed.replica.snapshot
    assert held is not None
    forged = replace(held, offset=offset, body=b"{not json")
    async with gateway.connect_v1(at(gateway, 3)) as client, gateway.connect() as plain:
        await until(client, "status")
        await plain.recv()
        memory_broker._messages.publish(CHANNEL, forged)
        await publish(memory_broker, 4, 4)
        assert json.loads(await until(client, "delta"))["offset"] == 4
        assert json.loads(await plain.recv())["data"] == audit(4)


async def test_who_comes_back_to_several_channels(memory_broker: MemoryBroker, running: Running) -> None:
    """Is given what it was promised of each, also when the first one's report filled its connection."""
    await memory_broker.publish(CHANNEL, publication("x" * 400_000, "large"))
    await memory_broker.publish("dns", publication(1))
    await memory_broker.publish("dns", change(1, 2))
    async with running(memory_broker, channels=(CHANNEL, "dns")) as gateway:
        dns = gateway.feeds.get("dns")
        assert dns is not None
        await await_until("it has both", lambda: dns.replica.snapshot and gateway.feed.replica.snapshot)
        assert dns.replica.snapshot is not None
        query = f"channel={CHANNEL}&epoch={'0' * 16}&offset=1&channel=dns&epoch={dns.replica.snapshot.epoch}&offset=1"
        async with gateway.connect_v1(query, max_size=None) as client:
            await take(client, "hello", "following", "snapshot")
            while (frame := json.loads(await client.recv()))["type"] == "status":
                pass
            assert (frame["type"], frame["recovered"]) == ("following", True)
            while (frame := json.loads(await client.recv()))["type"] == "status":
                pass

    assert (frame["type"], frame["offset"]) == ("delta", 2)


async def test_a_stored_report_that_is_not_what_it_says(redis_broker: RedisBroker, redis_server: RedisServer) -> None:
    """Is not served; the gateway says that it does not follow, and why, until there is another one."""
    await redis_broker.publish(CHANNEL, publication(1))
    direct: Any = redis.asyncio.Redis.from_url(redis_server.url)
    async with direct:
        state = keys_of(CHANNEL).state
        message = await direct.hget(state, "message")
        assert message is not None
        await direct.hset(state, "message", message.replace(b"repo-1", b"repo-2"))
    async with running_gateway(redis_broker) as gateway:
        await await_until("it has looked", lambda: gateway.feed.metrics.diverged._value.get() > 0)
        assert (await gateway.http.get("audit")).status_code == 503
        assert not gateway.feed.relay.is_connected
        await redis_broker.publish(CHANNEL, publication(2))
        await await_until("it has the next one", lambda: gateway.feed.relay.is_connected)

        assert (await gateway.http.get("audit")).json() == audit(2)
