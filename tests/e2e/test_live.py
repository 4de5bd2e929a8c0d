"""What changes is to be seen at once, and what is to be seen tells what it is."""

import json

import pytest
from playwright.async_api import expect

from tests.e2e.reports import write
from tests.e2e.viewer import Viewer
from tests.faults.system import System
from tests.support.wait import await_until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_change_is_seen_at_once(shared_system: System, viewer: Viewer) -> None:
    """A change of the file is in the list without a reload, its row tells when, and a notice sums it up."""
    write(shared_system.report, {"nas": "clean", "router": "clean", "blog": "dirty"})
    tab = await viewer.tab(f"{shared_system.url}#/repositories")
    await tab.shows("Live", "WebSocket")
    await tab.lists("nas", "clean")
    await tab.page.evaluate("window.isTheSamePage = true")

    write(shared_system.report, {"nas": "dirty", "router": "clean", "blog": "clean"})

    await tab.lists("nas", "dirty", timeout_s=2)
    await tab.lists("blog", "clean")
    await expect(tab.row("nas")).to_contain_text("just now")
    await expect(tab.page.get_by_label("Notices")).to_contain_text("2 repositories changed: 1 dirty, 1 clean")
    assert await tab.page.evaluate("window.isTheSamePage")


async def test_five_seconds(shared_system: System, viewer: Viewer) -> None:
    """Who opens the page is told whether it is live, how old it is, and what changed, without a press."""
    write(shared_system.report, {"nas": "clean", "router": "clean", "blog": "dirty"})
    tab = await viewer.tab(shared_system.url)
    await tab.shows("Live")
    await expect(tab.page).to_have_title("1 not clean · Overview · Reportcast")

    write(shared_system.report, {"nas": "clean", "router": "missing", "blog": "dirty"})

    await expect(tab.page.get_by_label("Summary").get_by_role("link", name="missing")).to_contain_text("1")
    await expect(tab.page.get_by_role("main")).to_contain_text("router")
    await expect(tab.status).to_contain_text("min old")
    await expect(tab.page).to_have_title("2 not clean · Overview · Reportcast")


async def test_paint_is_told(shared_system: System, viewer: Viewer) -> None:
    """How long a change took to the screen is shown, and told to the gateway, which has it beside the other hops."""
    write(shared_system.report, {"nas": "clean"})
    tab = await viewer.tab(shared_system.url)
    await tab.shows("Live")

    write(shared_system.report, {"nas": "dirty"})

    await expect(tab.details).to_contain_text("File to screen")

    async def is_told() -> bool:
        [newest, *_] = json.loads(await shared_system.gateways[0].get("/api/trace"))["changes"]
        return "paint" in json.dumps(newest)

    await await_until("the gateway has the paint", is_told)


async def test_deep_link(shared_system: System, viewer: Viewer) -> None:
    """An address of the existing reports opens that repository."""
    write(shared_system.report, {"nas": "dirty", "router": "clean"})

    tab = await viewer.tab(f"{shared_system.url}audit/nas?action=view")

    await expect(tab.page).to_have_url(f"{shared_system.url}#/repositories/nas")
    details = tab.page.get_by_role("complementary", name="Details")
    await expect(details.get_by_role("heading", name="nas")).to_be_visible()
    await expect(details).to_contain_text("/srv/git/nas")


async def test_refused_report(shared_system: System, viewer: Viewer) -> None:
    """A content that is not served is said to be, and why, beside the last good report."""
    write(shared_system.report, {"nas": "dirty"})
    tab = await viewer.tab(f"{shared_system.url}#/repositories")
    await tab.lists("nas", "dirty")

    shared_system.report.write_text('{"timestamp": "2026-11-28T00:00:00Z", "repos": [')

    await expect(tab.page.get_by_role("main")).to_contain_text("The report file is not served as it is now")
    await tab.lists("nas", "dirty")
    write(shared_system.report, {"nas": "clean"})
    await tab.lists("nas", "clean")
    await expect(tab.page.get_by_role("main")).not_to_contain_text("not served")
