"""Tabs of one browser share a connection."""

import json
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from tests.e2e.conftest import ADMIN_TOKEN
from tests.e2e.reports import write
from tests.e2e.viewer import Viewer
from tests.faults.system import System
from tests.support.wait import await_until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def browsers(system: System) -> list[Any]:
    """Give the browsers' connections to the gateway, as it tells of them."""
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{system.url}api/ws/clients", headers=headers)
    return [each for each in json.loads(answer.text)["clients"] if "Mozilla" in (each["userAgent"] or "")]


async def test_two_tabs_one_connection(shared_system: System, viewer: Viewer) -> None:
    """Both follow by one connection; when the tab that holds it is closed, the other takes over without a gap."""
    write(shared_system.report, {"nas": "clean"})
    context = await viewer.context()
    first = await viewer.tab(f"{shared_system.url}#/repositories", context)
    await first.shows("Live")
    await expect(first.details).to_contain_text("shared with other tabs")
    second = await viewer.tab(f"{shared_system.url}#/repositories", context)
    await second.shows("Live")
    await expect(second.details).to_contain_text("another tab's, shared")
    await second.lists("nas", "clean")

    async def is_one() -> bool:
        return len(await browsers(shared_system)) == 1

    await await_until("there is one connection", is_one)
    write(shared_system.report, {"nas": "dirty"})
    await first.lists("nas", "dirty")
    await second.lists("nas", "dirty")

    await first.page.close()
    write(shared_system.report, {"nas": "missing"})

    await second.lists("nas", "missing")
    await expect(second.details).to_contain_text("shared with other tabs")
    await second.shows("Live", "WebSocket")
    await await_until("there is one connection", is_one)


async def test_following_tab_switches_for_both(shared_system: System, viewer: Viewer) -> None:
    """Real-time is switched for the browser: by any of its tabs, for the connection that all of them have."""
    write(shared_system.report, {"nas": "clean"})
    context = await viewer.context()
    first = await viewer.tab(shared_system.url, context)
    await first.shows("Live", "WebSocket")
    second = await viewer.tab(shared_system.url, context)
    await second.shows("Live", "WebSocket")

    await second.press_real_time()

    await second.shows("Every 30 s", "Polling")
    await first.shows("Every 30 s", "Polling")
