"""The page over HTTP: which addresses give it, how it travels, and what it may do."""

import re
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from gateway.page_files import BUILT, page_files
from reportcast.broker.memory import MemoryBroker
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.support.commands import BIN, environment
from tests.support.reports import publication
from tests.support.running import ADMIN_TOKEN, CHANNEL, RunningGateway, running_gateway
from tests.support.wait import await_until

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ROOT = Path(__file__).parents[2]
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
TOKEN = "read-read-read"
# httpx knows gzip, and has decoded it.
DECODE: dict[str, Callable[[bytes], bytes]] = {"gzip": bytes, "zstd": zstd.decompress}


@pytest.fixture
async def read_gateway(memory_broker: MemoryBroker) -> AsyncIterator[RunningGateway]:
    """Give a gateway where reading takes a token."""
    async with running_gateway(memory_broker, gateway_read_token=TOKEN) as running:
        yield running


def loaded(html: str) -> list[str]:
    """Give the addresses that a document loads, as it writes them."""
    return re.findall(r'(?:src|href)="([^"]+\.(?:js|css))"', html)


async def test_the_page_and_all_that_it_loads(gateway: RunningGateway) -> None:
    """Are served under a policy that lets nothing in from elsewhere, and holds no inline script or style."""
    page = await gateway.http.get("")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert not re.search(r"<script(?![^>]* src=)|<style|style=| on[a-z]+=", page.text)
    assert {Path(name).suffix for name in loaded(page.text)} == {".js", ".css"}

    for name in ("", *loaded(page.text)):
        answer = await gateway.http.get(name)
        assert answer.status_code == 200
        assert "default-src 'none'; script-src 'self'; style-src 'self';" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["index.html", "repositories", "timeline", "latency", "clients", "?channel=<script>"])
async def test_places_of_the_page(gateway: RunningGateway, path: str) -> None:
    """Each gives the same document, whatever is asked for in it."""
    assert (await gateway.http.get(path)).text == (await gateway.http.get("")).text


async def test_what_a_browser_keeps(gateway: RunningGateway) -> None:
    """The document is asked for each time, what is named after its contents never again; both may be known already."""
    page = await gateway.http.get("")
    again, script = (name for name in loaded(page.text) if name.endswith(".js"))
    asset = await gateway.http.get(script)

    assert page.headers["Cache-Control"] == "no-cache"
    assert (await gateway.http.get(again)).headers["Cache-Control"] == "no-cache"
    assert asset.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for path, answer in (("", page), (script, asset)):
        known = await gateway.http.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert (known.status_code, known.content) == (304, b"")
        assert known.headers["ETag"] == answer.headers["ETag"]
        assert known.headers["Cache-Control"] == answer.headers["Cache-Control"]


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
async def test_files_travel_encoded(gateway: RunningGateway, encoding: str) -> None:
    """As the browser takes them, each made once."""
    [script] = [
        name for name in loaded((await gateway.http.get("")).text) if "/assets/" in name and name.endswith(".js")
    ]
    plain = await gateway.http.get(script, headers={"Accept-Encoding": "identity"})

    encoded = await gateway.http.get(script, headers={"Accept-Encoding": encoding})

    assert encoded.headers["Content-Encoding"] == encoding
    assert DECODE[encoding](encoded.content) == plain.content
    assert int(encoded.headers["Content-Length"]) < len(plain.content) / 2
    assert encoded.headers["ETag"] != plain.headers["ETag"]
    assert encoded.headers["Vary"] == "Accept-Encoding"
    assert page_files().by_name[script.removeprefix("./")].body.is_made("gzip" if encoding == "gzip" else "zstd")


async def test_a_head(gateway: RunningGateway) -> None:
    """Gives the headers of the document."""
    head, page = await gateway.http.head(""), await gateway.http.get("")
    assert head.content == b""
    assert head.headers["ETag"] == page.headers["ETag"]
    assert (await gateway.http.post("")).status_code == 405


@pytest.mark.parametrize(
    "path", ["nothing-here", "assets/%2e%2e/index.html", "page", "assets/", "/index.html", "%2e%2e/app.py"]
)
async def test_what_is_no_file_of_the_page(gateway: RunningGateway, path: str) -> None:
    """Is not found, and nothing beside the page can be had."""
    missing = await gateway.http.get(httpx.URL(gateway.address).copy_with(raw_path=f"/{path}".encode()))
    assert (missing.status_code, missing.json()) == (404, {"error": "Not Found"})
    # The next gateway, of another build, may have it.
    assert missing.headers["Cache-Control"] == "no-store"


async def test_a_websocket_elsewhere(gateway: RunningGateway) -> None:
    """Is refused: the page is none."""
    with pytest.raises(InvalidStatus, match="HTTP 403"):
        await connect(gateway.address.replace("http", "ws", 1) + "timeline")


class TestDeepLinks:
    """The links that reports hold, ``/audit/<repo>?action=view``."""

    @pytest.mark.parametrize("name", ["alpha", "a%2Fb", "%C3%A9", "history", "rejected"])
    async def test_a_browser(self, read_gateway: RunningGateway, name: str) -> None:
        """Gets the page, with no token, whatever the repository is called; what it loads is found from there."""
        page = await read_gateway.http.get(f"audit/{name}?action=view", headers=BROWSER)

        assert page.status_code == 200
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
        assert page.headers["Vary"] == "Accept-Encoding, Accept"
        assert loaded(page.text) == [
            f"../{name.removeprefix('./')}" for name in loaded((await read_gateway.http.get("")).text)
        ]
        for script in loaded(page.text):
            assert (await read_gateway.http.get(str(page.url.join(script)))).status_code == 200

    @pytest.mark.parametrize(
        "path", ["audit", "audit/history", "audit/rejected", "audit/history/a.json", "audit/rejected/1"]
    )
    async def test_other_endpoints(self, read_gateway: RunningGateway, path: str) -> None:
        """Are not the page, and ask for the token."""
        assert (await read_gateway.http.get(path, headers=BROWSER)).status_code == 401
        answer = await read_gateway.http.get(path, params={"access_token": TOKEN}, headers=BROWSER)
        assert answer.headers["Content-Type"] == "application/json"

    async def test_who_is_no_browser(self, gateway: RunningGateway) -> None:
        """Finds no such address."""
        answer = await gateway.http.get("audit/alpha?action=view")
        assert (answer.status_code, answer.headers["Cache-Control"]) == (404, "no-store")


async def test_a_page_that_was_not_built(
    memory_broker: MemoryBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is said, in place of the page."""
    monkeypatch.setattr("gateway.routes.page.page_files", lambda: page_files(tmp_path))
    async with running_gateway(memory_broker) as gateway:
        for path in ("", "timeline", "audit/alpha?action=view"):
            answer = await gateway.http.get(path, headers=BROWSER)
            assert answer.status_code == 503
            assert "make setup" in answer.json()["error"]
        assert (await gateway.http.get("assets/index.js")).status_code == 404


def test_the_wheel_holds_the_page(tmp_path: Path) -> None:
    """Git ignores it, and the build backend does not ask git."""
    script = f"import uv_build; print(uv_build.build_wheel({str(tmp_path)!r}))"
    own = environment({})
    own["PATH"] = f"{BIN}:{own['PATH']}"
    folder = ROOT / "services" / "gateway"
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, env=own, capture_output=True, check=True)

    with zipfile.ZipFile(tmp_path / done.stdout.decode().strip()) as wheel:
        held = {name.removeprefix("gateway/page/"): wheel.read(name) for name in wheel.namelist() if "/page/" in name}
    files = {name: content for name, content in held.items() if not name.endswith("/") and name}
    assert files == {name: file.body.raw for name, file in page_files(BUILT).by_name.items()}


async def test_addresses_of_others_are_not_the_page_s(memory_broker: MemoryBroker) -> None:
    """HEAD is answered wherever GET is; another method is told which it has; a slash too many leads back."""
    await memory_broker.publish(CHANNEL, publication(1))
    async with running_gateway(memory_broker, gateway_admin_token=ADMIN_TOKEN) as gateway:
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)
        admin = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        for path in (
            "audit/history",
            "api/ws/status",
            "api/ws/clients",
            "api/trace",
            "api/history",
            "healthz",
            "audit",
        ):
            got, head = [await ask(path, headers=admin) for ask in (gateway.http.get, gateway.http.head)]
            assert (head.status_code, head.content) == (got.status_code, b"") == (200, b""), path
        for path in ("api/ws/trigger-update", "api/trace/painted"):
            refused = await gateway.http.get(path)
            assert (refused.status_code, refused.headers["allow"]) == (405, "POST"), path
        assert (await gateway.http.get("audit/history/", follow_redirects=True)).status_code == 200
        assert (await gateway.http.get("nothing")).status_code == 404


async def test_past_reports_are_asked_for_again_by_their_digest(memory_broker: MemoryBroker) -> None:
    """A browser that has one is told that it is the same."""
    await memory_broker.publish(CHANNEL, publication(1))
    async with running_gateway(memory_broker) as gateway:
        await await_until("it has the report", lambda: gateway.feed.replica.snapshot)
        (name,) = (await gateway.http.get("audit/history")).json()
        first = await gateway.http.get(f"audit/history/{name}")
        again = await gateway.http.get(f"audit/history/{name}", headers={"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert first.headers["cache-control"] == again.headers["cache-control"] == "no-cache"
