"""What a first visit costs: bytes of script, and the time until the report is there and can be used."""

import gzip
import statistics
from typing import Any
from urllib.parse import urlsplit

import httpx
from playwright.async_api import Browser, Page

from bench.browser.lab import running_lab
from bench.browser.pixels import REPOS
from bench.browser.screen import address, blank
from tests.support.wait import await_until

GIVE_UP_S = 10.0


async def first_load(browser: Browser, visits: int) -> dict[str, Any]:
    """Open the page so often, each time for the first time."""
    with running_lab(REPOS) as (_, system):
        rounds = [await visit(browser, system.gateway_port) for _ in range(visits)]
        async with httpx.AsyncClient() as http:
            bodies = [(await http.get(url)).content for url in rounds[-1]["scripts"]]
    times = [each["interactive_ms"] for each in rounds]
    return {
        "visits": visits,
        "script_gzipped_bytes": sum(len(gzip.compress(body, 9)) for body in bodies),
        "script_transferred_bytes": sum(rounds[-1]["scripts"].values()),
        "all_transferred_bytes": rounds[-1]["all_bytes"],
        "other_hosts": sorted(
            {urlsplit(url).netloc for url in rounds[-1]["urls"]} - {f"127.0.0.1:{system.gateway_port}"}
        ),
        "interactive_ms_p50": round(statistics.median(times), 1),
        "interactive_ms_max": round(max(times), 1),
    }


async def visit(browser: Browser, port: int) -> dict[str, Any]:
    """Give what one visit loads, and when the report is on the screen and answers."""
    async with blank(browser) as page:
        session = await page.context.new_cdp_session(page)
        await session.send("Network.enable")
        urls: dict[str, tuple[str, str]] = {}
        sizes: dict[str, int] = {}
        session.on(
            "Network.responseReceived", lambda it: urls.update({it["requestId"]: (it["type"], it["response"]["url"])})
        )
        session.on("Network.loadingFinished", lambda it: sizes.update({it["requestId"]: it["encodedDataLength"]}))
        await page.goto(address(port))
        interactive_ms = await until_interactive(page)
        loaded = {urls[key]: size for key, size in sizes.items() if key in urls}
    return {
        "interactive_ms": interactive_ms,
        "scripts": {url: int(size) for (kind, url), size in loaded.items() if kind == "Script"},
        "urls": [url for _, url in loaded if url.startswith("http")],
        "all_bytes": int(sum(size for (_, url), size in loaded.items() if url.startswith("http"))),
    }


async def until_interactive(page: Page) -> float:
    """Give when the first row was painted and the page was free to answer, in ms since the visit began."""
    await await_until("the report is there", lambda: page.evaluate("window.bench.shownAt"), GIVE_UP_S)
    at: float = await page.evaluate("window.bench.shownAt")
    return at
