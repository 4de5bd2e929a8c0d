"""axe finds nothing on any page, light or dark, however the connection stands."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.e2e.places import PLACES
from tests.e2e.proxy import way_to
from tests.e2e.reports import homelab, write_repos
from tests.e2e.tab import Tab
from tests.e2e.viewer import Viewer
from tests.faults.system import System
from tests.support.wait import await_until

pytestmark = pytest.mark.asyncio(loop_scope="session")

AXE = Path(__file__).parents[2] / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"
SCREEN: ViewportSize = {"width": 1280, "height": 720}
# What 400 % zoom leaves of it.
NARROW: ViewportSize = {"width": 320, "height": 180}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
NEXT_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
RUN = """async (tags) => (await axe.run(document, { runOnly: tags })).violations.map(
    ({ id, help, nodes }) => [id, help, nodes.slice(0, 3).map(({ html, any, all, none }) =>
        [html.slice(0, 200), [...any, ...all, ...none].map(({ message }) => message)])])"""


async def violations(page: Page) -> list[Any]:
    """Give what axe finds."""
    # As a browser's extension does; the page's policy is for the page's own scripts.
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text())
    found: list[Any] = await page.evaluate(RUN, TAGS)
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(shared_system: System, viewer: Viewer, scheme: str) -> None:
    """On no page, with the details of the connection and the settings open, and while nothing is connected."""
    write_repos(shared_system.report, homelab(0))
    async with way_to(shared_system.url) as way:
        context = await viewer.context(color_scheme=scheme, reduced_motion="reduce")
        tab = await viewer.tab(way.url, context)
        await tab.shows("Live")
        found = {}
        write_repos(shared_system.report, homelab(1))
        for place in PLACES:
            await place.visit(tab.page)
            found[place.name] = await violations(tab.page)
            await tab.page.set_viewport_size(NARROW)
            await tab.page.evaluate(NEXT_FRAMES)
            found[f"{place.name} at 400 %"] = await violations(tab.page)
            await tab.page.set_viewport_size(SCREEN)
        await tab.page.get_by_role("button", name="Settings").click()
        found["settings"] = await violations(tab.page)
        await tab.page.keyboard.press("Escape")
        way.block("/ws", "/events", "/audit", "/api/ws/status")
        await tab.shows("Offline")
        await tab.status.click()
        found["offline"] = await violations(tab.page)

    assert {name: each for name, each in found.items() if each} == {}


async def test_transitions_that_pass_are_not_announced(shared_system: System, viewer: Viewer) -> None:
    """The region is there before its text; it tells what lasts, and not what is over before it was said."""
    async with way_to(shared_system.url) as way:
        tab = await viewer.tab(way.url, chance=0.01, has_clock=True)
        region = tab.page.locator("p[role=status][aria-live=polite].sr-only")
        await tab.shows("Live")
        await tab.page.clock.fast_forward("00:05")
        await expect(region).to_have_text("Connection: Live")
        await region.evaluate(
            "each => { window.told = []; new MutationObserver(() => told.push(each.textContent)).observe(each, "
            "{ childList: true, characterData: true, subtree: true }) }"
        )

        way.cut()
        await await_until("it came back", lambda: came_back(tab))
        await tab.page.clock.fast_forward("00:05")

        assert await tab.page.evaluate("window.told") == []


async def came_back(tab: Tab) -> bool:
    """Tell whether the connection was lost and is there again."""
    situations = await tab.situations()
    return "Offline -" in situations and situations[-1] == "Live WebSocket"
