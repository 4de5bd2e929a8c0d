"""
A real browser, on a real Redis, watcher and gateway, each a process.

All tests share one event loop, because the browser lives in it: a module here says
``pytestmark = pytest.mark.asyncio(loop_scope="session")``.
"""

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.e2e.chromium import launch
from tests.e2e.reports import write
from tests.e2e.viewer import Viewer
from tests.faults.system import Plan, System

READ_TOKEN = "open-sesame"
ADMIN_TOKEN = "sesame-sesame"
PLAN = Plan(
    gateways=1,
    watcher={"HISTORY_DIR": "history", "REPORT_SETTLE_S": "0.2"},
    gateway={"GATEWAY_ADMIN_TOKEN": ADMIN_TOKEN, "GATEWAY_PAINT_SAMPLE": "1"},
)
FAILED = pytest.StashKey[bool]()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Give a browser, one for all tests."""
    async with async_playwright() as playwright:
        browser = await launch(playwright.chromium)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def viewer(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Viewer]:
    """Give somebody with a browser; what is on the screen when a test fails is kept."""
    viewer = Viewer(browser)
    yield viewer
    if request.node.stash.get(FAILED, False):
        await viewer.screenshot(f"failed-{request.node.name}")
    await viewer.close()
    assert viewer.wrongs == []


@contextlib.asynccontextmanager
async def running_system(folder: Path, plan: Plan) -> AsyncIterator[System]:
    """Run a system to the end of the block; it has to end well."""
    system = System(folder, plan)
    try:
        await system.run()
        yield system
        await system.end()
    finally:
        system.clear()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _lasting_system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with running_system(tmp_path_factory.mktemp("shared"), PLAN) as system:
        yield system


@pytest.fixture
def shared_system(_lasting_system: System) -> System:
    """Give a system for the tests that leave it running, with a report that is well, whatever the test before left."""
    write(_lasting_system.report, {"nas": "clean", "router": "clean"})
    return _lasting_system


@pytest_asyncio.fixture(loop_scope="session")
async def system(tmp_path: Path) -> AsyncIterator[System]:
    """Give a system that the test may break."""
    async with running_system(tmp_path, PLAN) as system:
        yield system


@pytest_asyncio.fixture(loop_scope="session")
async def protected(tmp_path: Path) -> AsyncIterator[System]:
    """Give a system of which only those may read who have the token."""
    plan = dataclasses.replace(PLAN, gateway={"GATEWAY_READ_TOKEN": READ_TOKEN, "GATEWAY_SELF_PROBE": "false"})
    async with running_system(tmp_path, plan) as system:
        yield system


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have one worker run all of these, with one browser; they may be skipped where there is none."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember that a test failed."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report
