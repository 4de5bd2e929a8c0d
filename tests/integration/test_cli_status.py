"""``reportcast status`` and ``diff`` on a real gateway."""

import asyncio
import json

import pytest
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.messages import Source, SourceState

from tests.support.cli import in_a_process as reportcast
from tests.support.reports import publication
from tests.support.running import CHANNEL, SINCE, RunningGateway, live, running_gateway
from tests.support.wait import await_until


async def test_a_healthy_gateway(gateway: RunningGateway) -> None:
    """Exit code 0, and how it fares; as JSON, its own answer."""
    done, told = await reportcast("status", gateway.address), await reportcast("status", gateway.address, "--json")

    assert (done.code, told.code) == (0, 0)
    assert done.lines[0].startswith(f"● audit is healthy  {gateway.address} (reportcast-")
    assert [line.split()[0] for line in done.lines[1:]] == ["report", "file", "broker", "clients"]
    assert told.told[0]["status"] == "healthy"


async def test_a_degraded_gateway(memory_broker: MemoryBroker) -> None:
    """Exit code 1, and why, of every channel unless one is named."""
    await memory_broker.publish(CHANNEL, publication(1))
    await memory_broker.set_source(CHANNEL, live())
    rejected = Source(SourceState.REJECTED, SINCE, reason="report is empty", heard_at=live().heard_at)
    await memory_broker.set_source("dns", rejected)
    async with running_gateway(memory_broker, channels=[CHANNEL, "dns"]) as gateway:
        await await_until("both are joined", lambda: all(feed.replica.source for feed in gateway.feeds))

        whole = await reportcast("status", gateway.address)
        audit = await reportcast("status", gateway.address, "-c", CHANNEL)
        dns = await reportcast("status", gateway.address, "-c", "dns")
        none = await reportcast("status", gateway.address, "-c", "none")

    assert [done.code for done in (whole, audit, dns, none)] == [1, 0, 1, 2]
    assert whole.lines[-2:] == [
        "● dns is degraded",
        "  because the report file's present content is not served: report is empty",
    ]
    assert "  channels  audit healthy, dns degraded" in whole.lines
    assert dns.lines[:2] != audit.lines[:2]
    assert "answers 404: " in none.err


async def test_who_is_no_gateway(unused_tcp_port: int) -> None:
    """Exit code 2, and one sentence that says why."""
    server = await asyncio.start_server(_answer_otherwise, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        other = await reportcast("status", f"127.0.0.1:{port}")
    nobody = await reportcast("status", f"http://127.0.0.1:{unused_tcp_port}")
    address = await reportcast("status", "ftp://x")

    assert {other.code, nobody.code, address.code} == {2}
    assert "something else than JSON; is a Reportcast gateway there?" in other.err
    assert nobody.err == (
        f"reportcast: http://127.0.0.1:{unused_tcp_port}/api/ws/status does not answer: Connection refused\n"
    )
    assert "'ftp://x' is no address of a gateway; expected http://host:port/" in address.err


async def _answer_otherwise(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
    writer.close()


async def test_the_report_that_is_served(gateway: RunningGateway, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A gateway's address stands for its newest report; its history is there, too."""
    file = tmp_path_factory.mktemp("reports") / "b.json"
    file.write_bytes(publication(2).body)

    newest = await reportcast("diff", gateway.address, file)
    names = json.loads((await gateway.http.get("audit/history")).content)
    past = await reportcast("diff", f"{gateway.address}audit/history/{names[0]}", file)
    none = await reportcast("diff", f"{gateway.address}audit?channel=none", file)

    assert newest.lines[1:] == past.lines[1:]
    assert "+ repo-2  added, clean" in newest.lines
    assert (none.code, "answers 404" in none.err) == (2, True)
