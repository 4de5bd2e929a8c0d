"""What ``reportcast`` makes of servers that are no gateway, or one in trouble."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from reportcast.contracts.clock import utc_now
from reportcast_cli.crowd import Crowd, Target
from reportcast_cli.tally import Tally

from tests.support.cli import in_a_process as reportcast
from tests.support.running import SINCE

SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
HEARTBEAT = b'\x81\x14{"type":"heartbeat"}'


@contextlib.asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """Run a server that answers every request so, and after an upgrade waits for a word; give its host and port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            if answer.startswith(SWITCHED):
                await reader.read(1)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def http(told: Any, status: str = "200 OK") -> bytes:
    """Give an answer in JSON."""
    body = json.dumps(told).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


STATUS: dict[str, Any] = {
    "status": "degraded",
    "channel": "audit",
    "clients": 12,
    "maxConnections": 50000,
    "uptime": 86400.5,
    "server": "reportcast-0.1.0",
    "reasons": ["the report is overdue"],
    "workers": {"asked": 2, "answered": 1},
    "broker": {"connected": False},
    "source": {
        "state": "overdue",
        "since": SINCE,
        "heardAt": SINCE,
        "expectedEveryS": 300,
        "dueAt": SINCE,
        "lateByS": 125.0,
    },
    "report": {
        "name": "r.json",
        "epoch": "1b65fea20ca22296",
        "offset": 4,
        "bytes": 5120,
        "modifiedAt": SINCE,
        "findings": [{"kind": "duplicate_key", "message": "twice\x1b[0m", "line": 4, "column": 7}],
    },
    "channels": {"audit": "degraded"},
}


async def test_everything_that_is_wrong_is_told() -> None:
    """A report with findings, that is late, of one of two workers, without a broker."""
    async with answering(http(STATUS)) as address:
        done = await reportcast("status", address)

    assert done.code == 1
    rows = [line[2:12].strip() for line in done.lines[1:]]
    assert rows == ["because the"[:10].strip(), "report", "", "file", "broker", "clients", "workers"]
    assert ", with 1 finding" in done.lines[2]
    assert done.lines[3].endswith("duplicate_key: twice\\x1b[0m (line 4 column 7)")
    assert done.lines[4].endswith("the next report is late by 2 min 5 s")
    assert "not connected; what is served may be stale" in done.lines[5]
    assert done.lines[7].endswith("1 of 2 answered")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        pytest.param({"source": None}, "no watcher has told how it fares", id="no-watcher"),
        pytest.param({"report": None}, "none yet", id="no-report"),
        pytest.param(
            {"source": {**STATUS["source"], "lateByS": None, "dueAt": utc_now().isoformat()}}, "due in -", id="due"
        ),
    ],
)
async def test_what_is_not_known_is_said(changed: dict[str, Any], words: str) -> None:
    """In its row."""
    async with answering(http(STATUS | changed)) as address:
        done = await reportcast("status", address)

    assert done.code == 1
    assert words in done.out


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(http({"status": "fine"}), "does not answer as a Reportcast gateway does: KeyError", id="other"),
        pytest.param(
            http({"error": "the read token is missing"}, "401 x"),
            "the read token is missing; --token or REPORTCAST_TOKEN gives",
            id="token",
        ),
        pytest.param(http([1], "500 x"), "500: and does not say why", id="error"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n", "does not answer: ", id="no-http"),
    ],
)
async def test_what_is_no_answer(answer: bytes, words: str) -> None:
    """One sentence, and exit code 2."""
    async with answering(answer) as address:
        done = await reportcast("status", address)

    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert words in done.err


@pytest.mark.parametrize(
    ("answer", "refused", "lost"),
    [
        pytest.param(b"HTTP/1.1 429 x\r\n\r\n", "refused with 429", None, id="429"),
        pytest.param(b"SSH-2.0\r\n\r\n", "what answers speaks no HTTP", None, id="no-http"),
        pytest.param(b"", "the connection was closed before the handshake was answered", None, id="closed"),
        pytest.param(SWITCHED + b"\x88\x02\x03\xf5", None, "closed with 1013", id="1013"),
        pytest.param(SWITCHED + b"\x88\x00", None, "closed with 1005", id="no-code"),
        pytest.param(SWITCHED + b"\x01\x00", None, "a frame came that this client cannot read", id="fragment"),
    ],
)
async def test_clients_say_why_they_are_not_there(answer: bytes, refused: str | None, lost: str | None) -> None:
    """Refused, or sent away."""
    async with answering(answer) as address:
        crowd = Crowd(Target(f"ws://{address}/ws", None, None), Tally())
        await crowd.connect(2)
        if crowd.clients:
            await asyncio.wait([client.gone for client in crowd.clients], timeout=1)
        reasons = dict(crowd.refused), dict(crowd.lost)
        await crowd.leave()

    assert reasons == ({refused: 2} if refused else {}, {lost: 2} if lost else {})


async def test_frames_are_cut_out_of_what_comes() -> None:
    """In pieces or together; a ping is answered, and what is long has a longer header."""
    tally = Tally()
    long = b"x" * 70_000
    frames = HEARTBEAT + b"\x89\x02hi" + b"\x81\x7f" + len(long).to_bytes(8) + long + b"\x81\x7e\x01\x00" + b"y" * 256
    async with answering(SWITCHED + frames) as address:
        crowd = Crowd(Target(f"ws://{address}/ws", None, None), tally)
        await crowd.connect(1)
        await crowd.greeted(1)
        async with asyncio.timeout(2):
            while tally.frames < 3:  # noqa: ASYNC110 - the tally knows no event loop
                await asyncio.sleep(0.01)
        await crowd.leave()

    assert tally.octets == 20 + len(long) + 256
