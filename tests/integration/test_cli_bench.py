"""``reportcast bench`` on a real gateway: what it says is what happened."""

import asyncio
from pathlib import Path

from reportcast.broker.memory import MemoryBroker

from tests.support.cli import in_a_process as reportcast
from tests.support.reports import audit_bytes, change, publication
from tests.support.running import ADMIN_TOKEN, CHANNEL, RunningGateway, running_gateway, running_watcher
from tests.support.wait import await_until


async def test_changes_that_come_are_measured(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """At each client, also what is under way at the end; what was there before is none of them."""
    offset = 1
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(reportcast("bench", gateway.address, "-n", 20, "-s", 0.5, "--json"))
        while not running.done():
            await memory_broker.publish(CHANNEL, change(offset, offset + 1))
            offset += 1
            await asyncio.wait([running], timeout=0.05)
    done = running.result()

    (told,) = done.told
    assert (done.code, told["connected"], told["missed"]) == (0, 20, 0)
    assert 2 < told["changes"] < offset - 1
    assert told["receipts"] == 20 * told["changes"]
    assert told["latency_ms"]["p50"] <= told["latency_ms"]["max"]
    await await_until("all have left", lambda: not len(gateway.feed.audiences))


async def test_nothing_came(gateway: RunningGateway) -> None:
    """Then no latency is told, and it says why."""
    done = await reportcast("bench", gateway.address, "-n", 2, "-s", 0.2)

    assert done.code == 0
    assert "latency  " not in done.out
    assert "not measured: latency, because no change came within 200 ms; --trigger asks for updates" in done.lines
    assert "/metrics do not answer" not in done.out


async def test_clients_that_are_not_let_in(memory_broker: MemoryBroker) -> None:
    """Are counted, by the reason; it is not all well then."""
    await memory_broker.publish(CHANNEL, publication(1))
    async with running_gateway(memory_broker, gateway_max_connections=3) as gateway:
        done = await reportcast("bench", gateway.address, "-n", 5, "-s", 0.2, "--json")

    assert (done.code, done.told[0]["lost"]) == (1, {"closed with 1013": 2})


async def test_updates_can_be_triggered(memory_broker: MemoryBroker, tmp_path: Path) -> None:
    """With the admin token; without it, one sentence says why not."""
    file = tmp_path / "GitRepoReport.json"
    file.write_bytes(audit_bytes(1))
    async with (
        running_watcher(memory_broker, file),
        running_gateway(memory_broker, gateway_admin_token=ADMIN_TOKEN) as gateway,
    ):
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)
        arguments = "bench", gateway.address, "-n", 5, "-s", 0.2, "--trigger", "--json"
        done = await reportcast(*arguments, "--token", ADMIN_TOKEN)
        refused = await reportcast(*arguments)

    (told,) = done.told
    assert (done.code, told["changes"], told["receipts"]) == (0, 1, 5)
    assert 0 < told["latency_ms"]["p50"] < 1000
    assert refused.code == 2
    assert "it answers 401: the admin token is missing or wrong" in refused.err


async def test_nobody_to_be_measured(unused_tcp_port: int) -> None:
    """One sentence, and exit code 2."""
    done = await reportcast("bench", f"127.0.0.1:{unused_tcp_port}")

    assert (done.code, done.out) == (2, "")
    assert done.err.endswith("does not answer: Connection refused\n")
