"""Every way that a connection can stand is reached and left, in one life of a page."""

import pytest
from playwright.async_api import expect

from tests.e2e.proxy import way_to
from tests.e2e.reports import write
from tests.e2e.viewer import Viewer
from tests.faults.system import System

pytestmark = pytest.mark.asyncio(loop_scope="session")

# As a person is told of them, with what connects.
ALL = {
    "Not started -",
    "Connecting WebSocket",
    "Live WebSocket",
    "Connecting Event stream",
    "Live Event stream",
    "Connecting Polling",
    "Polling Polling",
    "Every 30 s Polling",
    "Offline -",
    "Stopped -",
}


async def test_every_state(shared_system: System, viewer: Viewer) -> None:
    """All of them are told, none of them is the last, and the page has the newest report at the end."""
    write(shared_system.report, {"nas": "clean"})
    async with way_to(shared_system.url) as way:
        tab = await viewer.tab(f"{way.url}#/repositories", chance=0.01, has_clock=True)
        await tab.shows("Live", "WebSocket")
        way.block("/ws")
        await tab.shows("Live", "Event stream")
        way.block("/events")
        await tab.shows("Polling", "Polling")
        await tab.press_real_time()
        await tab.shows("Every 30 s")
        way.deny("/audit")
        await tab.page.clock.fast_forward("00:31")
        await tab.shows("Stopped")
        way.unblock()
        await tab.try_now()
        await tab.shows("Every 30 s")
        await tab.press_real_time()
        await tab.shows("Live", "WebSocket")
        await tab.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
        await tab.shows("Not started")
        await tab.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
        write(shared_system.report, {"nas": "dirty"})

        await tab.shows("Live", "WebSocket")
        await tab.lists("nas", "dirty")
        situations = await tab.situations()
        assert set(situations) >= ALL
        assert set(situations) - ALL == set()
        await expect(tab.page.get_by_role("alert")).to_have_count(0)
