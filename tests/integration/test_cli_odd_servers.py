"""What ``reportcast`` makes of servers that are no gateway, or one in trouble."""

import asyncio
import contextlib
import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from reportcast.contracts.clock import utc_now
from reportcast_cli.crowd import Crowd, Target
from reportcast_cli.diff import Admission, read_side
from reportcast_cli.exits import Trouble
from reportcast_cli.fetch import fetch
from reportcast_cli.tally import Tally

from tests.support import commands
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


@contextlib.asynccontextmanager
async def dripping() -> AsyncIterator[str]:
    """Run a server that sends a byte of an endless head now and then; give its host and port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nx: ")
        with contextlib.suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(b"x")
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


class Recorder:
    """
    Answers with an empty report whatever is asked for.

    Attributes:
        asked: The heads of the requests.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Run until the end of the block; gives host and port."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(http({"error": "no"}, "401 No"))
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


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
    ("encoding", "body", "words"),
    [
        pytest.param("gzip", gzip.compress(b"x" * 99_999), "sends more than 1000 bytes; that many are read", id="bomb"),
        pytest.param("gzip, gzip", b"x", "which nobody asked for", id="twice"),
        pytest.param("gzip", b"{}, that is", "incorrect header check", id="not packed"),
        pytest.param("gzip", gzip.compress(b"{}")[:-3], "compressed, and cut short", id="cut"),
        pytest.param("br", b"x", "which nobody asked for", id="otherwise"),
    ],
)
async def test_what_is_compressed(monkeypatch: pytest.MonkeyPatch, encoding: str, body: bytes, words: str) -> None:
    """Is unpacked no further than it is read, and never twice."""
    monkeypatch.setattr("reportcast_cli.fetch.MAX_BYTES", 1000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    async with answering(head + body) as address:
        with pytest.raises(Trouble, match=words):
            await asyncio.to_thread(fetch, f"http://{address}/")


async def test_who_answers_for_ever() -> None:
    """Is given up at a time, however often a byte comes."""
    async with dripping() as address:
        with pytest.raises(Trouble, match="does not answer: not all came within 0 s"):
            await asyncio.to_thread(fetch, f"http://{address}/", within_s=0.2)


@pytest.mark.parametrize(
    ("address", "proxy"),
    [
        pytest.param("http://a..b/", "", id="a host that is none"),
        pytest.param(f"http://{'a' * 64}.b/", "", id="a label that is too long"),
        pytest.param("http://127.0.0.1:1/", "socks5h://127.0.0.1:1", id="a proxy that a library is lacking for"),
        pytest.param("http://127.0.0.1:1/", "pigeon://h", id="a proxy that is none"),
        pytest.param("http://127.0.0.1:1/", "http://a..b", id="a proxy's host that is none"),
    ],
)
async def test_what_libraries_refuse(monkeypatch: pytest.MonkeyPatch, address: str, proxy: str) -> None:
    """Is one sentence."""
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("http_proxy", proxy)

    with pytest.raises(Trouble, match="does not answer: "):
        await asyncio.to_thread(fetch, address)


@pytest.mark.parametrize(
    ("where", "path"),
    [
        ("http://{}", "/audit"),
        ("{}", "/audit"),
        ("HTTP://{}/", "/audit"),
        ("ws://{}/ws", "/audit"),
        ("{}/reportcast/", "/reportcast/audit"),
        ("http://{}/?channel=dns", "/audit?channel=dns"),
        ("http://{}/reportcast/audit?channel=dns", "/reportcast/audit?channel=dns"),
        ("{}/audit/history/2026-11-23T12:00:01Z.json", "/audit/history/2026-11-23T12:00:01Z.json"),
        ("http://{}/reports/r.json", "/reports/r.json"),
    ],
)
async def test_addresses_of_reports(where: str, path: str) -> None:
    """A gateway's stands for its newest report, however it is written; what is a report's is as it is."""
    recorder = Recorder()
    async with recorder.serving() as host:
        with pytest.raises(Trouble, match="answers 401"):
            await asyncio.to_thread(read_side, where.format(host), Admission(None, None))

    assert [head.split()[1] for head in recorder.asked] == [path]


async def test_a_token_of_the_environment(tmp_path: Path) -> None:
    """Is for the gateway that the environment names; who gives one on the command line means it."""
    file, recorder, secret = tmp_path / "a.json", Recorder(), {"REPORTCAST_TOKEN": "open-sesame"}
    file.write_bytes(b"{}")
    async with recorder.serving() as host:
        ours, others = {"REPORTCAST_URL": host}, {"REPORTCAST_URL": "http://127.0.0.1:1/"}
        for arguments, settings in (((), ours), ((), others), (("--token", "open-sesame"), others)):
            done = await asyncio.to_thread(
                commands.run, "reportcast", "diff", str(file), f"http://{host}/", *arguments, **settings, **secret
            )
            assert done.returncode == 2
            assert ("REPORTCAST_TOKEN is sent to the gateway of REPORTCAST_URL alone" in done.stderr) == (
                settings is others and not arguments
            )

    assert ["Bearer open-sesame" in head for head in recorder.asked] == [True, False, True]


@pytest.mark.parametrize(
    ("answer", "refused", "lost"),
    [
        pytest.param(b"HTTP/1.1 429 x\r\n\r\n", "refused with 429", None, id="429"),
        pytest.param(b"SSH-2.0\r\n\r\n", "what answers speaks no HTTP", None, id="no-http"),
        pytest.param(b"", "the connection was closed before the handshake was answered", None, id="closed"),
        pytest.param(SWITCHED + b"\x88\x02\x03\xf5", None, "closed with 1013", id="1013"),
        pytest.param(SWITCHED + b"\x88\x00", None, "closed with 1005", id="no-code"),
        pytest.param(SWITCHED + b"\x01\x00", None, "a frame came that this client cannot read", id="fragment"),
        pytest.param(
            SWITCHED + b"\x89\x7e\x00\xc8" + b"p" * 200,
            None,
            "a frame came that this client cannot read",
            id="long-ping",
        ),
        pytest.param(
            SWITCHED + b"\x81\x7f" + (1 << 40).to_bytes(8),
            None,
            "a frame came that is larger than 67108864 bytes",
            id="huge",
        ),
        pytest.param(b"HTTP/1.1 101 x\r\nx: " + b"x" * 99_999, "refused with 101", None, id="a head without an end"),
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
    deep = b'{"type":"snapshot"}'  # which nobody can read
    frames = (
        b"\x81"
        + bytes([len(deep)])
        + deep
        + HEARTBEAT
        + b"\x89\x02hi"
        + b"\x81\x7f"
        + len(long).to_bytes(8)
        + long
        + b"\x81\x7e\x01\x00"
        + b"y" * 256
    )
    async with answering(SWITCHED + frames) as address:
        crowd = Crowd(Target(f"ws://{address}/ws", None, None), tally)
        await crowd.connect(1)
        await crowd.greeted(1)
        async with asyncio.timeout(2):
            while tally.frames < 4:  # noqa: ASYNC110 - the tally knows no event loop
                await asyncio.sleep(0.01)
        await crowd.leave()

    assert tally.octets == len(deep) + 20 + len(long) + 256
