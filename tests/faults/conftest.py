"""How large the cases are, and their table."""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from pathlib import Path

import pytest
import uvloop
from reportcast.contracts.clock import utc_now

from tests.faults.case import FULL, SHORT, Size
from tests.faults.table import Row, page
from tests.support.workers import require_one_process

ROW = pytest.StashKey[Row]()
ROWS = pytest.StashKey[list[Row]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--faults-table", metavar="PATH", type=Path, help="run the faults in full; write their table there"
    )
    parser.addoption("--faults-full", action="store_true", help="run the faults in full")


def pytest_configure(config: pytest.Config) -> None:
    """Have the table whole."""
    require_one_process(config, "--faults-table")


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run 200 clients on the event loop with the cheapest sockets."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def size(request: pytest.FixtureRequest) -> Size:
    """Give the size of the cases: in full for the table, else short."""
    config = request.config
    is_full = config.getoption("--faults-table", default=None) or config.getoption("--faults-full", default=False)
    return FULL if is_full else SHORT


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Row:
    """Give the test's row of the table: its docstring is ``<fault>: <what recovery is>``."""
    fault, _, recovery = " ".join((request.function.__doc__ or "").split()).partition(": ")
    row = Row(fault, recovery.rstrip("."))
    request.node.stash[ROW] = row
    return row


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the result of a test into its row."""
    report = yield
    row = item.stash.get(ROW, None)
    if row is not None and report.when == "call":
        row.result = report.outcome
        if report.skipped and isinstance(report.longrepr, tuple):
            row.note = report.longrepr[2].removeprefix("Skipped: ")
        item.config.stash.setdefault(ROWS, []).append(row)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the table, if that is wanted."""
    target: Path | None = session.config.getoption("--faults-table", default=None)
    if target is not None:
        rows: list[Row] = session.config.stash.get(ROWS, [])
        target.write_text(page(rows, f"{utc_now():%Y-%m-%d}"))


@pytest.fixture(autouse=True)
async def no_pending_tasks() -> AsyncIterator[None]:
    """Fail a test that leaves a task behind."""
    yield
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task() and not task.done()]
    assert left == []


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have every fault tested alone: how soon it heals is what is claimed."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.alone)
