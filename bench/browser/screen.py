"""A browser that shows the dashboard, and what it notes of itself."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from bench.services import System
from tests.e2e.chromium import launch

IN_PAGE = Path(__file__).with_name("in_page.js")
SIZE = {"width": 1280, "height": 800}


@contextlib.asynccontextmanager
async def running_browser() -> AsyncIterator[Browser]:
    """Run Chromium until the end of the block."""
    async with async_playwright() as playwright:
        browser = await launch(playwright.chromium)
        yield browser
        await browser.close()


@contextlib.asynccontextmanager
async def blank(browser: Browser) -> AsyncIterator[Page]:
    """Give a page of a profile of its own, with nothing in its cache, until the end of the block."""
    context = await browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.add_init_script(path=IN_PAGE)
    yield page
    await context.close()


@contextlib.asynccontextmanager
async def shown(browser: Browser, system: System) -> AsyncIterator[Page]:
    """Give a page that shows the list of repositories, until the end of the block."""
    async with blank(browser) as page:
        await page.goto(address(system.gateway_port))
        await page.locator("[data-row]").first.wait_for()
        yield page


def address(port: int) -> str:
    """Give the address of the list of repositories."""
    return f"http://127.0.0.1:{port}/#/repositories?sort=changed"
