"""Who follows with ``reportcast.v1`` is told what changes, of one channel or several, and how they fare."""

import hashlib
import json
from pathlib import Path

import pytest
import websockets.exceptions
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.close_codes import CloseCode
from reportcast.contracts.delta import apply
from reportcast.contracts.messages import Source, SourceState
from reportcast.contracts.report import parse_report

from tests.support.reports import audit, audit_bytes, publication
from tests.support.running import CHANNEL, SINCE, Running, RunningGateway, live, running_gateway, running_watcher
from tests.support.v1 import at, publish, take, text_of, where
from tests.support.wait import await_until


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
