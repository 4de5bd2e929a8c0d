"""A report is untrusted: whatever stands in it is text."""

import re
from typing import Any

import pytest
from playwright.async_api import expect

from tests.e2e.reports import repo, write_bytes, write_repos
from tests.e2e.viewer import Viewer
from tests.faults.system import System

pytestmark = pytest.mark.asyncio(loop_scope="session")

ATTACK = "<img src=x onerror=attack()><script>attack()</script>"
ATTACKED = "void (window.attack = () => { window.isAttacked = true })"
LINKS = {"clone_url": "javascript:attack()", "dashboard_link": "JaVaScRiPt:attack()", "remote_url": "data:text/html,x"}
HOSTILE: dict[str, Any] = {
    "mitigation": ATTACK,
    "error": "\u202egnp.exe\x00\x1b[31m",
    "__proto__": {"isAdmin": True},
    "constructor": ATTACK,
    **LINKS,
}
HIDING = re.compile("[\u202e\x00\x1b]")
PLACES = ("", "repositories", "repositories?group=status", "timeline", "latency", "clients")


async def test_hostile_report(shared_system: System, viewer: Viewer) -> None:
    """Nothing of a hostile report is run, loaded, or a link to what is not http(s); the policy has nothing to stop."""
    write_repos(shared_system.report, [repo("harmless")])
    tab = await viewer.tab(shared_system.url)
    await tab.shows("Live")
    await tab.page.evaluate(ATTACKED)

    hostile = [
        repo(ATTACK, "dirty", **HOSTILE),
        repo("x" * 5000, '"><b onmouseover=attack()>', **LINKS),
        repo("", "extra"),
    ]
    write_repos(shared_system.report, hostile, health_status=ATTACK)
    for place in PLACES:
        await tab.page.evaluate("hash => { location.hash = hash }", f"#/{place}")
        await expect(tab.page.get_by_role("heading", level=1)).to_be_attached()
    await tab.page.evaluate("hash => { location.hash = hash }", "#/repositories")
    await tab.row(ATTACK).get_by_role("link").click()
    details = tab.page.get_by_role("complementary", name="Details")
    await expect(details.get_by_role("heading", name=ATTACK)).to_be_visible()
    await expect(details).to_contain_text("javascript:attack()")
    assert HIDING.search(await details.inner_text()) is None, "what hides or turns text is to be seen"

    hrefs = await tab.page.evaluate(
        "[...document.querySelectorAll('[href]')].map((each) => new URL(each.href).protocol)"
    )
    assert set(hrefs) <= {"http:", "https:", "data:"}  # data: is the icon, which is the page's own
    assert await tab.page.locator("a[href^=data], img, iframe, object, embed").count() == 0
    assert await tab.page.evaluate("[window.isAttacked, {}.isAdmin, window.e2e.violations]") == [None, None, []]
    width = await tab.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1], "a name of 5000 letters makes the page wider than the window"


async def test_hostile_other_report(shared_system: System, viewer: Viewer) -> None:
    """A report that is refused for what stands in it says why, as text."""
    write_repos(shared_system.report, [repo("harmless")])
    tab = await viewer.tab(shared_system.url)
    await tab.shows("Live")
    await tab.page.evaluate(ATTACKED)

    write_bytes(
        shared_system.report, b'{"timestamp": "2026-11-28T00:00:00Z", "repos": [{"<img src=x onerror=attack()>": 1}]}'
    )

    await expect(tab.page.get_by_role("main")).to_contain_text("The report file is not served as it is now")
    assert await tab.page.evaluate("[window.isAttacked, window.e2e.violations]") == [None, []]
    write_repos(shared_system.report, [repo("harmless")])
