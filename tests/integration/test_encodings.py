"""``/audit`` in every encoding, on a real server: the bytes on the wire, and what the headers say of them."""

import asyncio
import dataclasses
import gzip
import hashlib
import itertools
import sys
import threading
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts import body as body_module
from reportcast.contracts.messages import Publication

from tests.support.reports import publication
from tests.support.running import CHANNEL, RunningGateway, live, running_gateway
from tests.support.wait import await_until

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DECODE: dict[str | None, Callable[[bytes], bytes]] = {None: bytes, "gzip": gzip.decompress, "zstd": zstd.decompress}
BROWSER = "Accept-Encoding: gzip, deflate, br, zstd"
GET_AND_HEAD = ("GET", "HEAD")
ORIGIN = "https://dash.example"


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What came over the socket."""

    status: int
    headers: httpx.Headers
    content: bytes

    @property
    def report(self) -> bytes:
        """What a client makes of it."""
        return DECODE[self.headers.get("Content-Encoding")](self.content)


async def ask(gateway: RunningGateway, *lines: str, method: str = "GET", path: str = "/audit") -> Answer:
    """Send a request with just these header lines on a socket of its own, and read all that comes."""
    url = httpx.URL(gateway.address)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = "\r\n".join((f"{method} {path} HTTP/1.1", f"Host: {url.netloc.decode()}", "Connection: close", *lines))
    writer.write(head.encode() + b"\r\n\r\n")
    answer = await reader.read()
    writer.close()
    head_bytes, _, content = answer.partition(b"\r\n\r\n")
    status, *fields = head_bytes.decode().split("\r\n")
    pairs = [(name, value) for name, _, value in (field.partition(": ") for field in fields)]
    return Answer(int(status.split(" ")[1]), httpx.Headers(pairs), content)


def of_size(mark: int, size: int) -> Publication:
    """Give a report of about ``size`` bytes."""
    return publication(mark, filling=[f"{number:019d}" for number in range(size // 22)])


@pytest.fixture(params=[2_000, 200_000], ids=["inline", "large"])
async def gateway(request: pytest.FixtureRequest, memory_broker: MemoryBroker) -> AsyncIterator[RunningGateway]:
    """Give a gateway with a report that is worth compressing, where that is quick and where it takes a thread."""
    await memory_broker.publish(CHANNEL, of_size(1, request.param))
    await memory_broker.set_source(CHANNEL, live())
    async with running_gateway(memory_broker) as running:
        await await_until("it has the report", lambda: running.feed.replica.snapshot)
        yield running


@pytest.mark.parametrize(
    ("lines", "encoding"),
    [
        pytest.param([], None, id="nothing-said"),
        pytest.param([BROWSER], "zstd", id="browser"),
        pytest.param(["Accept-Encoding: gzip"], "gzip", id="gzip"),
        pytest.param(["Accept-Encoding: zstd;q=0.5, gzip;q=0.8"], "gzip", id="weights"),
        pytest.param(["accept-encoding: br", "Accept-Encoding: gzip, zstd;q=0"], "gzip", id="two-lines"),
        pytest.param(["Accept-Encoding: identity, *;q=0"], None, id="identity"),
        pytest.param(["Accept-Encoding: *"], "zstd", id="anything"),
    ],
)
async def test_each_encoding_holds_the_same_report(
    gateway: RunningGateway, lines: list[str], encoding: str | None
) -> None:
    """Decoded, its digest is the one that the status tells; the length is that of the bytes on the wire."""
    answer = await ask(gateway, *lines)
    digest = (await gateway.status())["report"]["digest"]

    assert answer.status == 200
    assert answer.headers.get("Content-Encoding") == encoding
    assert hashlib.sha256(answer.report).hexdigest() == digest
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert answer.headers["ETag"] == f'"{digest}-{encoding}"' if encoding else f'"{digest}"'
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Reportcast-Stale"] == "false"


async def test_head_is_get_without_the_body(gateway: RunningGateway) -> None:
    """In each encoding, all headers are the same."""
    for accepted in ("identity", "gzip", "zstd"):
        got = await ask(gateway, f"Accept-Encoding: {accepted}")
        headed = await ask(gateway, f"Accept-Encoding: {accepted}", method="HEAD")

        assert (headed.status, headed.content) == (200, b"")
        assert without_date(headed.headers) == without_date(got.headers)


def without_date(headers: httpx.Headers) -> list[tuple[str, str]]:
    """Give what does not change from second to second."""
    return sorted(pair for pair in headers.items() if pair[0] != "date")


@pytest.mark.parametrize("kept", ["identity", "gzip", "zstd"])
async def test_any_etag_of_the_report_saves_sending_it_again(gateway: RunningGateway, kept: str) -> None:
    """304 names the one that the client keeps, if it is one that this client takes."""
    etag = (await ask(gateway, f"Accept-Encoding: {kept}")).headers["ETag"]
    for accepted, method in itertools.product(("identity", "gzip", "zstd", "gzip, zstd", "gzip, *;q=0"), GET_AND_HEAD):
        again = await ask(gateway, f"Accept-Encoding: {accepted}", f'If-None-Match: "x", W/{etag}', method=method)

        takes = kept in accepted or (kept == "identity" and "*;q=0" not in accepted)
        assert again.status == (304 if takes else 200), (accepted, method)
        assert (again.headers["ETag"] == etag) is takes
        assert again.headers["Vary"] == "Accept-Encoding"
        assert not takes or again.content == b""
        assert not takes or "Content-Encoding" not in again.headers
        assert again.headers["X-Reportcast-Stale"] == "false"


async def test_the_etag_of_another_report_saves_nothing(gateway: RunningGateway, memory_broker: MemoryBroker) -> None:
    """Whatever the encoding, the new report is sent."""
    etags = [(await ask(gateway, f"Accept-Encoding: {each}")).headers["ETag"] for each in ("identity", "gzip", "zstd")]
    await memory_broker.publish(CHANNEL, of_size(2, 2_000))
    await await_until("it has the next one", lambda: gateway.feed.replica.snapshot.offset == 2)  # type: ignore[union-attr]

    answer = await ask(gateway, BROWSER, f"If-None-Match: {', '.join(etags)}")

    assert answer.status == 200
    assert answer.headers["ETag"] not in etags


async def test_who_refuses_everything_is_told_what_there_is(gateway: RunningGateway) -> None:
    """406, also at the history."""
    name = (await gateway.http.get("audit/history")).json()[0]
    for path in ("/audit", f"/audit/history/{name}"):
        refused = await ask(gateway, "Accept-Encoding: identity;q=0, br", path=path)
        assert refused.status == 406
        assert b"zstd, gzip, identity" in refused.content
        assert refused.headers["Vary"] == "Accept-Encoding"


async def test_a_small_report_is_not_encoded(memory_broker: MemoryBroker) -> None:
    """Unless the client takes nothing else; one ETag is known by another as well."""
    await memory_broker.publish(CHANNEL, publication(1))
    async with running_gateway(memory_broker) as gateway:
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)

        plain = await ask(gateway, BROWSER)
        wanted = await ask(gateway, "Accept-Encoding: gzip, *;q=0")
        known = await ask(gateway, BROWSER, f"If-None-Match: {wanted.headers['ETag']}")

    assert "Content-Encoding" not in plain.headers
    assert wanted.headers["Content-Encoding"] == "gzip"
    assert wanted.report == plain.content
    assert (known.status, known.headers["ETag"]) == (304, wanted.headers["ETag"])


async def test_past_reports(gateway: RunningGateway) -> None:
    """Zstd alone is cheap enough to be made for each who asks, so gzip is for those who take nothing else."""
    path = f"/audit/history/{(await gateway.http.get('audit/history')).json()[0]}"
    newest = await ask(gateway)
    chosen = {"gzip, zstd": "zstd", "gzip": None, "gzip, *;q=0": "gzip", "identity": None}
    for accepted, encoding in chosen.items():
        past = await ask(gateway, f"Accept-Encoding: {accepted}", path=path)
        head = await ask(gateway, f"Accept-Encoding: {accepted}", path=path, method="HEAD")

        assert past.headers.get("Content-Encoding") == encoding
        assert past.report == newest.content
        assert past.headers["Vary"] == "Accept-Encoding"
        assert (head.content, head.headers["Content-Length"]) == (b"", past.headers["Content-Length"])


async def test_pages_of_other_origins_can_read_the_headers(memory_broker: MemoryBroker) -> None:
    """The ETag and whether it is stale; caches keep what is for one origin from another."""
    await memory_broker.publish(CHANNEL, of_size(1, 2_000))
    async with running_gateway(memory_broker, gateway_allowed_origins=(ORIGIN,)) as gateway:
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)
        answer = await ask(gateway, BROWSER, f"Origin: {ORIGIN}")
        known = await ask(gateway, BROWSER, f"Origin: {ORIGIN}", f"If-None-Match: {answer.headers['ETag']}")

    assert (answer.status, known.status) == (200, 304)
    for headers in (answer.headers, known.headers):
        assert headers["Access-Control-Allow-Origin"] == ORIGIN
        assert headers["Access-Control-Expose-Headers"] == "ETag, Retry-After, X-Reportcast-Stale"
        assert headers["Vary"] == "Accept-Encoding, Origin"


async def test_httpx_reads_it(gateway: RunningGateway) -> None:
    """A client that takes care of encodings by itself sees the report and nothing of them."""
    plain = await ask(gateway)

    answer = await gateway.http.get("audit", headers={"Accept-Encoding": "gzip"})

    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.content == plain.content


async def test_many_who_ask_at_once_for_a_large_report(
    memory_broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is compressed once; meanwhile everybody is served, with the one before it."""
    release, begun = threading.Event(), []
    really_deflate = body_module.deflate

    def held_deflate(raw: bytes) -> bytes:
        begun.append(threading.current_thread())
        assert release.wait(10), "nobody else was served while this was compressed"
        return really_deflate(raw)

    monkeypatch.setattr(body_module, "deflate", held_deflate)
    await memory_broker.publish(CHANNEL, of_size(1, 1000))
    async with running_gateway(memory_broker) as gateway:
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)
        before = await ask(gateway)
        await memory_broker.publish(CHANNEL, of_size(2, 2_000_000))
        await await_until("it is being compressed", lambda: begun)
        for _ in range(20):
            assert (await ask(gateway)).content == before.content
        release.set()
        await await_until("it is served", lambda: gateway.feed.replica.body and gateway.feed.replica.body.is_large)
        async with asyncio.TaskGroup() as tasks:
            asking = [tasks.create_task(ask(gateway, "Accept-Encoding: gzip")) for _ in range(20)]
        plain = await ask(gateway)

    assert len(begun) == 1
    assert {task.result().report for task in asking} == {plain.content}
