"""Each page on the screens that it is for; the past; who is connected."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.e2e.places import PLACES, give_token
from tests.e2e.reports import homelab, repo, write, write_repos
from tests.e2e.viewer import Viewer, screenshot
from tests.faults.system import System
from tests.support.wait import await_until

pytestmark = pytest.mark.asyncio(loop_scope="session")

SCREENS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 800}},
    "phone": {"color_scheme": "light", "viewport": {"width": 390, "height": 844}, "device_scale_factor": 2},
}
CHANGES = 6
WIDTHS = (320, 390, 640, 768)


async def test_screenshots(system: System, viewer: Viewer) -> None:
    """All of every page is there on a screen and on a phone, light and dark, and nothing is wider than the window."""
    write_repos(system.report, homelab(0))
    for screen, options in SCREENS.items():
        tab = await viewer.tab(system.url, await viewer.context(**options, reduced_motion="reduce"))
        await tab.shows("Live")
        for change in range(1, CHANGES):
            await published(system, homelab(change))
        for place in PLACES:
            await place.visit(tab.page)
            await fits(tab.page, f"{place.name} on {screen}")
            await screenshot(tab.page, f"{place.name.lower().replace(', ', '-')}-{screen}")
        await tab.page.close()


async def test_widths(shared_system: System, viewer: Viewer) -> None:
    """At no width does anything lead out of the window: from where 400 % zoom leaves 320 px to a small tablet."""
    long = "git clone https://git.example/" + "x" * 200 + " && " + "echo nothing && " * 20
    write_repos(shared_system.report, homelab(0))
    tab = await viewer.tab(shared_system.url)
    await tab.shows("Live")
    await published(shared_system, [*homelab(1), repo("wide", "missing", mitigation=long)])
    for place in PLACES:
        await place.visit(tab.page)
        for width in WIDTHS:
            await tab.page.set_viewport_size({"width": width, "height": 800})
            await fits(tab.page, f"{place.name} at {width} px")


async def test_kiosk(shared_system: System, viewer: Viewer) -> None:
    """On a wall screen there is the large one, without what cannot be pressed there."""
    write_repos(shared_system.report, homelab(0))
    tab = await viewer.tab(shared_system.url, await viewer.context(viewport={"width": 1920, "height": 1080}))
    await tab.shows("Live")
    await tab.page.get_by_role("button", name="Settings").click()
    await tab.page.get_by_role("button", name="Kiosk mode").click()

    await expect(tab.page.get_by_role("navigation", name="Pages")).to_have_count(0)
    await tab.shows("Live")
    await fits(tab.page, "the kiosk mode")
    height = await tab.page.evaluate("document.documentElement.scrollHeight")
    assert height <= 1080, "nobody scrolls on a wall"
    await expect(tab.page.get_by_role("heading", name="Last changes")).to_be_visible()
    await screenshot(tab.page, "kiosk")

    await tab.page.get_by_role("button", name="Leave the kiosk mode").click()
    await expect(tab.page.get_by_role("navigation", name="Pages")).to_be_visible()


async def test_history_scrub(system: System, viewer: Viewer) -> None:
    """Any past report is there by the scrubber, by its address, and beside another one; live changes do not move it."""
    if not await system.gateways[0].get("/api/history"):
        pytest.skip("the gateway does not give the history in brief yet")
    for state in ("clean", "dirty", "missing"):
        await published(system, [repo("nas", state)])
    tab = await viewer.tab(f"{system.url}#/timeline")
    scrubber = tab.page.get_by_role("slider", name="At")
    report = tab.page.get_by_role("region", name="report")
    await expect(report.filter(has_text="The newest report")).to_contain_text("nas")

    await scrubber.focus()
    await tab.page.keyboard.press("ArrowLeft")

    await expect(tab.page.get_by_role("heading", name="The report of")).to_be_visible()
    await expect(tab.page.get_by_role("main")).to_contain_text("dirty")
    address = tab.page.url
    assert "?at=" in address
    title = await tab.page.locator("#selected-title").inner_text()
    write(system.report, {"nas": "extra"})
    await expect(tab.page.get_by_role("group", name="At", exact=True)).to_contain_text("of 4")
    await expect(tab.page.locator("#selected-title")).to_have_text(title)

    other = await viewer.tab(address)
    await expect(other.page.locator("#selected-title")).to_have_text(title)
    await other.page.get_by_role("button", name="Compare two").click()
    await expect(other.page.get_by_role("slider", name="From")).to_be_attached()
    await expect(other.page.get_by_role("heading", name="From")).to_be_visible()
    await expect(other.page.get_by_role("region", name="From")).to_contain_text("nas")


async def test_clients(shared_system: System, viewer: Viewer) -> None:
    """Who is connected is told to those who have the admin token, and a wrong one is said to be."""
    tab = await viewer.tab(f"{shared_system.url}#/clients")
    await tab.shows("Live")
    field = tab.page.get_by_label("Admin token")
    await field.fill("wrong-wrong")
    await tab.page.keyboard.press("Enter")
    await expect(field).to_have_attribute("aria-invalid", "true")

    await field.fill("")
    await give_token(tab.page)

    await expect(tab.page.get_by_role("row").filter(has_text="Chrom")).to_contain_text("WebSocket")


async def fits(page: Page, what: str) -> None:
    """Check that nothing is wider than the window."""
    width, room = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= room, f"{what} is {width} px wide; the window has {room}"


async def published(system: System, repos: list[dict[str, Any]]) -> None:
    """Write a report, and wait until it is in the history."""
    before = await names(system)
    write_repos(system.report, repos)
    await await_until("the report is in the history", lambda: grew(system, before))


async def names(system: System) -> str:
    """Give the names of the kept reports."""
    return await system.gateways[0].get("/audit/history")


async def grew(system: System, before: str) -> bool:
    """Tell whether there is one more."""
    return await names(system) != before
