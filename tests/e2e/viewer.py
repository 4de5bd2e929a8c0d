"""A person with a browser: opens pages, and is told of what a page must never do."""

import re
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from tests.e2e.chromium import ELSEWHERE
from tests.e2e.tab import Tab

SCREENSHOTS = Path(__file__).parent / "screenshots"
TIMEOUT_MS = 10_000
# Connections that break are told of in the console, too, and are what these tests are about.
OF_NETWORK = re.compile(r"Failed to load resource|WebSocket connection to|net::ERR_")
HOSTS = ("127.0.0.1", ELSEWHERE)
SCHEMES = (*(f"{scheme}://{host}:" for scheme in ("http", "ws") for host in HOSTS), "data:", "blob:")


class Viewer:
    """
    Opens pages, each in a context of its own unless it is given one.

    Attributes:
        wrongs: What pages did that none may: errors, what their policy forbids, requests to elsewhere. A test
            that provokes one takes it out.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.wrongs: list[str] = []

    async def context(self, **options: Any) -> BrowserContext:
        """Make what two pages can share, as two tabs of one browser do; ``options`` are those of ``new_context``."""
        context = await self._browser.new_context(**options)
        context.set_default_timeout(TIMEOUT_MS)
        context.on("weberror", lambda error: self.wrongs.append(f"uncaught: {error.error}"))
        context.on("console", self._on_console)
        context.on("request", self._on_request)
        self._contexts.append(context)
        return context

    async def open(self, address: str, context: BrowserContext | None = None, **options: Any) -> Page:
        """Open a page, in a new context with ``options`` if it is given none."""
        page = await (context or await self.context(**options)).new_page()
        await page.goto(address)
        return page

    async def tab(
        self, address: str, context: BrowserContext | None = None, chance: float | None = None, has_clock: bool = False
    ) -> Tab:
        """Open the dashboard; see ``Tab.open``."""
        return await Tab.open(context or await self.context(), address, chance, has_clock)

    async def screenshot(self, name: str) -> None:
        """Keep what all pages show."""
        pages = [page for context in self._contexts for page in context.pages]
        for number, page in enumerate(pages):
            await screenshot(page, name if len(pages) == 1 else f"{name}-{number}")

    async def close(self) -> None:
        """Close all pages."""
        for context in self._contexts:
            await context.close()

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not OF_NETWORK.search(message.text):
            self.wrongs.append(message.text)

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith(SCHEMES):
            self.wrongs.append(f"asked for {request.url}")


async def screenshot(page: Page, name: str) -> None:
    """Keep what a page shows, for people to look at."""
    await page.screenshot(path=SCREENSHOTS / f"{name}.png")
