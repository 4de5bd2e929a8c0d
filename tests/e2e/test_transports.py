"""Every way that a connection can stand is reached, said, and left."""

import httpx
import pytest
from playwright.async_api import expect

from tests.e2e.conftest import READ_TOKEN
from tests.e2e.proxy import way_to
from tests.e2e.reports import write
from tests.e2e.tab import Tab
from tests.e2e.viewer import Viewer
from tests.faults.system import System
from tests.support.wait import await_until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_down_and_up_the_ladder(shared_system: System, viewer: Viewer) -> None:
    """Without WebSockets come events, without these polls, each with all changes; then the page climbs back."""
    write(shared_system.report, {"nas": "clean"})
    async with way_to(shared_system.url) as way:
        tab = await viewer.tab(f"{way.url}#/repositories", chance=0.01, has_clock=True)
        await tab.shows("Live", "WebSocket")

        way.block("/ws")
        await tab.shows("Live", "Event stream")
        await expect(tab.details).to_contain_text("WebSocket does not get through")
        await follows(tab, shared_system, "dirty")

        way.block("/events")
        await tab.shows("Polling", "Polling")
        await follows(tab, shared_system, "missing")

        way.unblock()
        await tab.page.clock.fast_forward("00:31")
        await tab.shows("Live", "WebSocket")
        await follows(tab, shared_system, "clean")


async def follows(tab: Tab, system: System, state: str) -> None:
    """Check that a change comes through."""
    write(system.report, {"nas": state})
    await tab.lists("nas", state)


async def test_real_time_off_and_on(shared_system: System, viewer: Viewer) -> None:
    """Who wants no live page is asked for news at an interval, which is remembered; one press, and it is live again."""
    write(shared_system.report, {"nas": "clean"})
    context = await viewer.context()
    tab = await viewer.tab(f"{shared_system.url}#/repositories", context, has_clock=True)
    await tab.shows("Live", "WebSocket")

    await tab.press_real_time()
    await tab.shows("Every 30 s", "Polling")
    await tab.page.reload()
    await tab.shows("Every 30 s", "Polling")
    write(shared_system.report, {"nas": "dirty"})
    await await_until("the gateway has it", lambda: _state(shared_system) == "dirty")
    await tab.page.clock.fast_forward("00:31")
    await tab.lists("nas", "dirty")

    await tab.press_real_time()
    await tab.shows("Live", "WebSocket")
    await follows(tab, shared_system, "missing")


def _state(system: System) -> str:
    state: str = httpx.get(f"{system.url}audit").json()["repos"][0]["status"]
    return state


async def test_token_is_missing(protected: System, viewer: Viewer) -> None:
    """Who may not read is told so, once and for all: nothing is tried again, and with the token the report is there."""
    write(protected.report, {"nas": "clean"})
    tab = await viewer.tab(f"{protected.url}#/repositories", has_clock=True)

    await tab.shows("Stopped")
    await expect(tab.page.get_by_role("main")).to_contain_text("Nothing can be shown")
    before = await tab.situations()
    await tab.page.clock.fast_forward("10:00")
    assert await tab.situations() == before
    await tab.page.get_by_label("Read token").fill(READ_TOKEN)
    await tab.page.keyboard.press("Enter")

    await tab.shows("Live", "WebSocket")
    await tab.lists("nas", "clean")


async def test_channel_is_not_served(shared_system: System, viewer: Viewer) -> None:
    """A report that is not served is said not to be, with a way to the first that is."""
    tab = await viewer.tab(f"{shared_system.url}?channel=nowhere")

    await tab.shows("Stopped")
    await tab.page.get_by_role("link", name="Show the first report").click()

    await tab.shows("Live")
