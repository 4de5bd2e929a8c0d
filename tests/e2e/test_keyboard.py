"""All of it can be used without a mouse."""

import pytest
from playwright.async_api import Page, expect

from tests.e2e.reports import write
from tests.e2e.viewer import Viewer
from tests.faults.system import System

pytestmark = pytest.mark.asyncio(loop_scope="session")

MOST_STOPS = 60
FOCUSED = """() => {
    const each = document.activeElement
    const { outlineStyle, boxShadow } = getComputedStyle(each)
    const name = ["aria-label", "aria-labelledby", "name"].map((word) => each.getAttribute(word)).find(Boolean)
    const isSeen = each.matches(":focus-visible") && (outlineStyle !== "none" || boxShadow !== "none")
    return [each === document.body ? "" : each.innerText || name || each.labels[0].innerText, isSeen]
}"""
# Nothing lies over what has the focus, unless the browser itself has it.
IS_UNCOVERED = """() => {
    const each = document.activeElement
    const { x, y, width, height } = each.getBoundingClientRect()
    const there = document.elementFromPoint(x + width / 2, y + height / 2)
    return each === document.body || each.contains(there) || there.contains(each)
}"""


async def tab_to(page: Page, word: str) -> None:
    """Press Tab until what has the focus has this word."""
    passed: list[str] = []
    for _ in range(MOST_STOPS):
        await page.keyboard.press("Tab")
        text, _ = await page.evaluate(FOCUSED)
        if word in text:
            return
        passed.append(text)
    pytest.fail(f"Tab does not lead to {word!r}, but to {passed}")


async def test_repositories_by_keyboard(shared_system: System, viewer: Viewer) -> None:
    """From the address bar to a repository's details and back, with the focus where it was."""
    write(shared_system.report, {"nas": "dirty", "router": "missing", "blog": "clean"})
    tab = await viewer.tab(shared_system.url)
    await tab.shows("Live")
    page = tab.page

    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()
    await page.reload()
    await tab.shows("Live")
    await tab_to(page, "Repositories")
    await page.keyboard.press("Enter")
    await tab.lists("nas", "dirty")
    await page.keyboard.press("/")
    await page.keyboard.type("rout")
    await expect(tab.row("nas")).to_have_count(0)
    for _ in "rout":
        await page.keyboard.press("Backspace")
    await tab_to(page, "router")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="router")).to_be_focused()
    await page.keyboard.press("Escape")

    await expect(page.get_by_role("complementary", name="Details")).to_have_count(0)
    await expect(page.get_by_role("link", name="router", exact=True)).to_be_focused()

    await page.set_viewport_size({"width": 390, "height": 844})
    await tab.row("blog").get_by_role("gridcell").first.click()
    details = page.get_by_role("complementary", name="Details")
    await expect(details.get_by_role("heading", name="blog")).to_be_focused()
    await expect(page.get_by_role("grid")).to_be_hidden()
    await expect(tab.status).to_be_visible()
    for _ in range(16):
        await page.keyboard.press("Tab")
        assert await page.evaluate(IS_UNCOVERED), "the focus is behind the details"
    await page.keyboard.press("Escape")
    await expect(details).to_have_count(0)
    await expect(page.get_by_role("link", name="blog", exact=True)).to_be_focused()


async def test_real_time_by_keyboard(shared_system: System, viewer: Viewer) -> None:
    """The details of the connection open, the switch switches, and Escape leads back."""
    tab = await viewer.tab(shared_system.url)
    await tab.shows("Live")
    page = tab.page

    await tab_to(page, "details of the connection")
    await page.keyboard.press("Enter")
    await expect(tab.details).to_be_visible()
    for _ in range(3):
        await page.keyboard.press("Tab")
        if await tab.details.get_by_role("switch").evaluate("each => each === document.activeElement"):
            break
    await page.keyboard.press("Space")
    await tab.shows("Every 30 s")
    await page.keyboard.press("Escape")

    await expect(tab.details).to_be_hidden()
    await expect(tab.status).to_be_focused()


async def test_focus_is_seen(shared_system: System, viewer: Viewer) -> None:
    """Whatever has the focus shows it, and has a name."""
    write(shared_system.report, {"nas": "dirty", "router": "missing", "blog": "clean"})
    tab = await viewer.tab(f"{shared_system.url}#/repositories")
    await tab.shows("Live")
    await tab.lists("nas", "dirty")

    stops = []
    for _ in range(25):
        await tab.page.keyboard.press("Tab")
        stops.append(await tab.page.evaluate(FOCUSED))

    # After the last one comes the browser itself.
    assert [name for name, is_seen in stops if not is_seen and name] == []
    assert len(stops) - [name for name, _ in stops].count("") > 15
