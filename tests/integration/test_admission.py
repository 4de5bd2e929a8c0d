"""Who is let in, on a real server; and what becomes of those who open connections and say nothing."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets.asyncio.client
import websockets.exceptions
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.close_codes import CloseCode
from websockets.asyncio.client import ClientConnection

from tests.support.ports import free_port
from tests.support.reports import audit, audit_bytes
from tests.support.running import RunningGateway, running_gateway
from tests.support.wait import await_until

ONE, OTHER = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "198.51.100.7"}
TRUSTED = ("127.0.0.0/8", "::1")


class Clock:
    """Monotonic seconds that a test sets."""

    now_s = 7.5

    def __call__(self) -> float:
        return self.now_s


async def closed_with(client: ClientConnection) -> str:
    """Give the reason of a close with 1013."""
    with pytest.raises(websockets.exceptions.ConnectionClosed) as caught:
        await client.recv()
    assert client.close_code == CloseCode.TRY_AGAIN_LATER
    assert caught.value.rcvd is not None
    return caught.value.rcvd.reason


async def refusals(gateway: RunningGateway, reason: str) -> float:
    """Read how many were refused for a reason."""
    return await gateway.metric("reportcast_gateway_refused_total", reason=reason)


async def test_the_limit_of_an_address(memory_broker: MemoryBroker) -> None:
    """One above it is closed with 1013, which a browser sees; others are let in, and when one leaves, the next."""
    options: dict[str, Any] = {"gateway_max_connections_per_address": 1, "gateway_trusted_proxies": TRUSTED}
    async with running_gateway(memory_broker, **options) as gateway:
        async with gateway.connect(additional_headers=ONE) as first:
            await first.recv()
            async with gateway.connect(additional_headers=ONE) as second:
                sentence = "connection limit of 1 for an address reached; close one, or try again later"
                assert await closed_with(second) == sentence
            async with gateway.connect(additional_headers=OTHER) as other:
                await other.recv()
        assert (await refusals(gateway, "address"), await refusals(gateway, "limit")) == (1, 0)
        await await_until("all have left", lambda: gateway.feeds.admission.connections == 0)
        async with gateway.connect(additional_headers=ONE) as third:
            await third.recv()


async def test_the_limit_in_all_comes_first(memory_broker: MemoryBroker) -> None:
    """It is told as such, whatever the address."""
    options: dict[str, Any] = {"gateway_max_connections": 1, "gateway_max_connections_per_address": 1}
    async with running_gateway(memory_broker, **options) as gateway, gateway.connect() as first:
        await first.recv()
        async with gateway.connect() as second:
            assert await closed_with(second) == "connection limit of 1 reached; try again later"
        assert (await refusals(gateway, "address"), await refusals(gateway, "limit")) == (0, 1)
        assert (await gateway.status())["maxConnections"] == 1


async def test_the_rate_of_an_address(memory_broker: MemoryBroker) -> None:
    """One above it gets 429 before the upgrade, with when to come back; others are let in; so is it a second later."""
    clock = Clock()
    options: dict[str, Any] = {"gateway_handshakes_per_s": 2, "gateway_trusted_proxies": TRUSTED}
    async with running_gateway(memory_broker, clock=clock, **options) as gateway:
        for _ in range(2):
            async with gateway.connect(additional_headers=ONE) as client:
                await client.recv()

        with pytest.raises(websockets.exceptions.InvalidStatus) as caught:
            await gateway.connect(additional_headers=ONE)

        response = caught.value.response
        assert (response.status_code, response.headers["Retry-After"]) == (429, "1")
        sentence = "this address connects more than 2 times a second; try again in a second"
        assert json.loads(response.body) == {"error": sentence}
        assert await refusals(gateway, "rate") == 1
        async with gateway.connect(additional_headers=OTHER) as other:
            await other.recv()
        clock.now_s += 1
        async with gateway.connect(additional_headers=ONE) as client:
            await client.recv()


@pytest.mark.parametrize(
    ("trusted", "address"),
    [
        pytest.param((), "127.0.0.1", id="nobody-is-trusted"),
        pytest.param(("10.0.0.0/8",), "127.0.0.1", id="another-is-trusted"),
        pytest.param(("127.0.0.0/8",), "198.51.100.7", id="the-proxy-is-trusted"),
        pytest.param(("127.0.0.1", "198.51.100.7"), "192.0.2.1", id="and-the-one-before-it"),
    ],
)
async def test_whose_word_is_taken(memory_broker: MemoryBroker, trusted: tuple[str, ...], address: str) -> None:
    """Of what X-Forwarded-For says, the last that no trusted proxy wrote about another trusted one."""
    forwarded = {"X-Forwarded-For": "192.0.2.1, 198.51.100.7"}
    async with (
        running_gateway(memory_broker, gateway_trusted_proxies=trusted) as gateway,
        gateway.connect(additional_headers=forwarded) as client,
    ):
        await client.recv()

        (connection,) = gateway.feeds.roster.connections

        assert connection.peer.host == address


async def test_a_forwarded_address_makes_no_admin(memory_broker: MemoryBroker) -> None:
    """Only the token does, whoever is trusted."""
    options: dict[str, Any] = {"gateway_trusted_proxies": TRUSTED, "gateway_admin_token": "sesame-sesame"}
    async with running_gateway(memory_broker, **options) as gateway:
        answer = await gateway.http.get("api/ws/clients", headers={"X-Forwarded-For": "127.0.0.1"})

        assert answer.status_code == 401


async def test_a_handshake_that_does_not_end_gets_408(memory_broker: MemoryBroker) -> None:
    """It is answered, closed and counted, while others are served."""
    async with running_gateway(memory_broker, gateway_handshake_timeout_s=0.1) as gateway, gateway.connect() as client:
        await client.recv()
        reader, writer = await open_to(gateway)
        writer.write(b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n")

        assert (await reader.read()).startswith(b"HTTP/1.1 408 Request Timeout\r\n")

        writer.close()
        assert await gateway.metric("reportcast_http_cut_total", reason="timeout") == 1
        await (await client.ping())


async def test_headers_without_end_get_431(memory_broker: MemoryBroker) -> None:
    """Beyond 64 KiB."""
    async with running_gateway(memory_broker) as gateway:
        reader, writer = await open_to(gateway)
        writer.write(b"GET /ws HTTP/1.1\r\n")

        with contextlib.suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(b"X-More: and more\r\n" * 100)
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.01):
                        assert (await reader.readline()).startswith(b"HTTP/1.1 431 ")
                        break

        writer.transport.abort()
        assert await gateway.metric("reportcast_http_cut_total", reason="headers") == 1


async def open_to(gateway: RunningGateway) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect, and say nothing yet."""
    url = httpx.URL(gateway.address)
    return await asyncio.open_connection(url.host, url.port)


# Of 160 descriptors, 32 are the process's own, 32 stay free and 20 are for requests.
NOFILE, EFFECTIVE = 160, 76


@contextlib.contextmanager
def short_of_descriptors(report: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``reportcast up`` with NOFILE descriptors to the end of the block."""
    settings = {"REPORT_FILE": str(report), "GATEWAY_PORT": str(port), "LOG_LEVEL": "warning", "LOG_FORMAT": "json"}
    command = f'ulimit -n {NOFILE}; exec "{Path(sys.executable).parent}/reportcast" up'
    environment = {**os.environ, **settings}  # noqa: TID251 - of a child, not a setting
    process = subprocess.Popen(["sh", "-c", command], env=environment, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextlib.asynccontextmanager
async def crowd(port: int, size: int) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Open many connections that say nothing."""
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(size)]
    try:
        yield [reader for reader, _ in streams]
    finally:
        for _, writer in streams:
            writer.transport.abort()


async def next_report(client: ClientConnection) -> object:
    """Give the next report, which may come after the word that there is none yet."""
    while "data" not in (frame := json.loads(await client.recv())):
        pass
    return frame["data"]


async def answers(port: int) -> bool:
    """Ask ``/healthz`` on a new connection."""
    async with httpx.AsyncClient() as http:
        with contextlib.suppress(httpx.TransportError):
            return (await http.get(f"http://127.0.0.1:{port}/healthz")).is_success
    return False


async def test_running_out_of_descriptors_is_survived(tmp_path: Path) -> None:
    """The limit is lowered with a warning; a crowd beyond it is dropped, who is there is served, then all are again."""
    report, port = tmp_path / "GitRepoReport.json", free_port()
    report.write_bytes(audit_bytes(1))
    url = f"ws://127.0.0.1:{port}/ws"
    with short_of_descriptors(report, port) as process:
        await await_until("it answers", lambda: answers(port), timeout_s=20)
        async with contextlib.AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(websockets.asyncio.client.connect(url)) for _ in range(EFFECTIVE)
            ]
            assert [await next_report(client) for client in clients] == [audit(1)] * EFFECTIVE
            async with websockets.asyncio.client.connect(url) as one_more:
                assert await closed_with(one_more) == f"connection limit of {EFFECTIVE} reached; try again later"
            async with crowd(port, 200) as silent:
                await await_until("most are dropped", lambda: sum(reader.at_eof() for reader in silent) > 150)
                report.write_bytes(audit_bytes(2))

                assert [await next_report(client) for client in clients] == [audit(2)] * EFFECTIVE
            await await_until("it answers again", lambda: answers(port))
        async with websockets.asyncio.client.connect(url) as client:
            assert await next_report(client) == audit(2)
        process.terminate()
        _, logged = process.communicate(timeout=15)
        assert process.returncode == 0
    lines = [json.loads(line) for line in logged.splitlines() if line.startswith(b"{")]
    events = {line["event"]: line for line in lines}
    assert {"connection limit lowered", "out of descriptors"} <= events.keys()
    lowered = events["connection limit lowered"]
    assert (lowered["asked"], lowered["effective"], lowered["nofile"]) == (50_000, EFFECTIVE, NOFILE)


@pytest.mark.parametrize("address", ["198.51.100.7", "2001:db8::7"], ids=["v4", "v6"])
async def test_a_proxied_address_leaves_as_it_came(memory_broker: MemoryBroker, address: str) -> None:
    """A proxy tells no port; the place that a client had is free again, and nothing else is counted wrong."""
    options: dict[str, Any] = {"gateway_max_connections_per_address": 1, "gateway_trusted_proxies": TRUSTED}
    async with running_gateway(memory_broker, **options) as gateway:
        for _ in range(3):
            async with gateway.connect(additional_headers={"X-Forwarded-For": address}) as client:
                await client.recv()
                (connection,) = gateway.feeds.roster.connections
                assert connection.peer.address == address
            await await_until("it has left", lambda: gateway.feeds.admission.connections == 0)
        assert await gateway.metric("reportcast_gateway_connections", transport="websocket") == 0
        assert await refusals(gateway, "address") == 0
