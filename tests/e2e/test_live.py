"""What a person sees of a report, and of its changes."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.e2e.viewer import Viewer
from tests.faults.system import System
from tests.support.reports import audit_bytes

pytestmark = pytest.mark.asyncio(loop_scope="session")


def write(path: Path, body: bytes) -> None:
    """Put a report in its place, whole."""
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(body)
    temporary.replace(path)


def repos(**statuses: str) -> list[dict[str, str]]:
    """Give repositories by name."""
    return [{"name": name, "status": status} for name, status in statuses.items()]


async def test_the_page_shows_the_report(shared_system: System, viewer: Viewer) -> None:
    """Whoever opens the page sees the repositories."""
    write(shared_system.report, audit_bytes("shown", repos=repos(alpha="dirty", beta="clean")))

    page = await viewer.open(f"http://{shared_system.gateways[0].address}/#/repositories")

    await expect(page.get_by_text("alpha").first).to_be_visible()
    await expect(page.get_by_text("beta").first).to_be_visible()


async def test_a_change_shows_without_a_reload(shared_system: System, viewer: Viewer) -> None:
    """A page that stays open follows the file."""
    write(shared_system.report, audit_bytes("before", repos=repos(before="clean")))
    page = await viewer.open(f"http://{shared_system.gateways[0].address}/#/repositories")
    await expect(page.get_by_text("before").first).to_be_visible()
    await page.evaluate("window.isTheSamePage = true")

    write(shared_system.report, audit_bytes("after", repos=repos(after="clean")))

    await expect(page.get_by_text("after").first).to_be_visible()
    await expect(page.get_by_text("before")).to_have_count(0)
    assert await page.evaluate("window.isTheSamePage")


async def test_a_gateway_that_comes_back(system: System, viewer: Viewer) -> None:
    """While its gateway is killed, a page keeps what it shows; when that is back, it goes on by itself."""
    write(system.report, audit_bytes("before", repos=repos(before="clean")))
    [gateway, _] = system.gateways
    page = await viewer.open(f"http://{gateway.address}/#/repositories")
    await expect(page.get_by_text("before").first).to_be_visible()

    gateway.kill()
    write(system.report, audit_bytes("after", repos=repos(after="clean")))
    await expect(page.get_by_text("before").first).to_be_visible()
    gateway.start()

    await expect(page.get_by_text("after").first).to_be_visible(timeout=20_000)
