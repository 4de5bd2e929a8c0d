"""What browsers report of changes that they painted."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from gateway.painted import MAX_BODY_BYTES, MAX_REPORTS_PER_S
from gateway.traces import MAX_PAINTED
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.clock import utc_now
from reportcast.contracts.trace import Skew

from tests.integration.test_trace import next_change, traced
from tests.support.reports import publication
from tests.support.running import CHANNEL, RunningGateway, running_gateway
from tests.support.wait import await_until


@pytest.fixture
async def traced_gateway(memory_broker: MemoryBroker) -> AsyncIterator[RunningGateway]:
    """Give a gateway that remembers one change."""
    await memory_broker.publish(CHANNEL, publication(0))
    async with running_gateway(memory_broker, gateway_paint_sample=0.5) as gateway:
        await await_until("it follows", lambda: gateway.feed.replica.snapshot)
        await memory_broker.publish(CHANNEL, traced(0, 1, Skew(0, 0), utc_now()))
        await await_until("it remembers", lambda: gateway.feed.traces.tell()["changes"])
        yield gateway


def report_of(gateway: RunningGateway, **other: Any) -> dict[str, Any]:
    """Give what a browser says of the change."""
    (change,) = gateway.feed.traces.tell()["changes"]
    position = {"epoch": change["epoch"], "offset": change["offset"]}
    return {"channel": CHANNEL, **position, "deliverMs": 1.5, "paintMs": 12, **other}


async def send(gateway: RunningGateway, report: Any, **headers: str) -> httpx.Response:
    """Have a browser report."""
    return await gateway.http.post("api/trace/painted", json=report, headers=headers)


async def test_a_report_is_kept_and_counted(traced_gateway: RunningGateway) -> None:
    """With its change, as far as there is room; the histogram has all."""
    report = report_of(traced_gateway)
    for _ in range(MAX_PAINTED + 1):
        answer = await send(traced_gateway, report)

        assert (answer.status_code, answer.content) == (204, b"")
    (told,) = (await traced_gateway.http.get("api/trace")).json()["changes"]

    assert told["painted"] == [{"deliverMs": 1.5, "paintMs": 12}] * MAX_PAINTED
    for hop, total_s in (("deliver", 0.0015), ("paint", 0.012)):
        labels = {"channel": CHANNEL, "hop": hop}
        sum_s = await traced_gateway.metric("reportcast_gateway_painted_seconds_sum", **labels)
        assert sum_s == pytest.approx(total_s * (MAX_PAINTED + 1))


@pytest.mark.parametrize(
    ("other", "status"),
    [
        pytest.param({"deliverMs": -1}, 400, id="negative"),
        pytest.param({"paintMs": 600_001}, 400, id="too-long"),
        pytest.param({"paintMs": None}, 400, id="none"),
        pytest.param({"paintMs": "12"}, 400, id="text"),
        pytest.param({"offset": 1.5}, 400, id="no-offset"),
        pytest.param({"channel": "x"}, 404, id="channel-not-served"),
        pytest.param({"offset": 1}, 404, id="not-traced"),
        pytest.param({"epoch": "0" * 16}, 404, id="another-epoch"),
        pytest.param({"more": "x" * MAX_BODY_BYTES}, 413, id="too-large"),
    ],
)
async def test_what_is_refused(traced_gateway: RunningGateway, other: dict[str, Any], status: int) -> None:
    """With one sentence, and nothing is counted."""
    answer = await send(traced_gateway, report_of(traced_gateway, **other))

    assert answer.status_code == status
    assert " " in answer.json()["error"]
    labels = {"channel": CHANNEL, "hop": "paint"}
    assert await traced_gateway.metric("reportcast_gateway_painted_seconds_count", **labels) == 0


async def test_what_is_no_json(traced_gateway: RunningGateway) -> None:
    """Neither text of another kind nor another encoding is taken."""
    for content in (b"", b"{", b"\xff", b"[" * MAX_BODY_BYTES):
        assert (await traced_gateway.http.post("api/trace/painted", content=content)).status_code == 400


async def test_a_foreign_page_may_not_report(traced_gateway: RunningGateway) -> None:
    """It is another's users that it would tell of."""
    assert (await send(traced_gateway, report_of(traced_gateway), Origin="https://a.example")).status_code == 403


async def test_a_browser_that_goes_before_it_is_done(
    traced_gateway: RunningGateway, caplog: pytest.LogCaptureFixture
) -> None:
    """Is no error of the gateway's; and what is no report takes nobody's turn."""
    for _ in range(MAX_REPORTS_PER_S):
        host, port = traced_gateway.address.removeprefix("http://").rstrip("/").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"POST /api/trace/painted HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100\r\n\r\n{{".encode())
        await writer.drain()
        writer.close()

    assert (await send(traced_gateway, report_of(traced_gateway))).status_code == 204
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.alone
async def test_not_too_many_a_second(traced_gateway: RunningGateway) -> None:
    """Those beyond it are told to come later."""
    report = report_of(traced_gateway)

    answers = await asyncio.gather(*(send(traced_gateway, report) for _ in range(2 * MAX_REPORTS_PER_S + 1)))

    refused = [each for each in answers if each.status_code == 429]
    assert refused
    assert refused[0].headers["Retry-After"] == "1"


async def test_how_many_are_wanted_is_told(memory_broker: MemoryBroker) -> None:
    """In ``hello``; where none are, none is taken."""
    await memory_broker.publish(CHANNEL, publication(0))
    async with running_gateway(memory_broker, gateway_paint_sample=0) as gateway, gateway.connect_v1() as client:
        hello = await client.recv()
        await next_change(client)
        answer = await gateway.http.post("api/trace/painted", json={})

    assert '"paint_sample":0.0,' in str(hello)
    assert answer.status_code == 403
    assert "GATEWAY_PAINT_SAMPLE" in answer.json()["error"]
