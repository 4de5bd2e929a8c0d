"""The file systems, the table and what the tests need of Redis."""

import asyncio
import re
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest
import redis
from reportcast.contracts.clock import utc_now

from tests.support.redis_server import RedisServer, real_redis
from tests.support.workers import require_one_process
from tests.torture.places import NAMES, Place, made
from tests.torture.table import Row, page

ROW = pytest.StashKey[Row]()
ROWS = pytest.StashKey[list[Row]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--torture-table", metavar="PATH", type=Path, help="write the table of the torture tests there")


def pytest_configure(config: pytest.Config) -> None:
    """Have the table whole."""
    require_one_process(config, "--torture-table")


@pytest.fixture(
    params=[pytest.param(name, marks=pytest.mark.mounts) if name == "overlay" else name for name in NAMES],
)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Give a folder on each kind of file system in turn."""
    with made(request.param) as place:
        yield place


@pytest.fixture
def row(request: pytest.FixtureRequest, place: Place) -> Row:
    """Give the test's row of the table."""
    function = request.function
    case = re.match(r"test_w0?(\d+)_", function.__name__)
    variant = request.node.callspec.id.replace(place.name, "").strip("-") if hasattr(request.node, "callspec") else ""
    what = " ".join((function.__doc__ or "").strip().split("\n\n")[0].split())
    row = Row(f"W{case[1]}" if case else "", what, variant, place.name)
    request.node.stash[ROW] = row
    return row


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the result of a test into its row."""
    report = yield
    row = item.stash.get(ROW, None)
    if row is not None and report.when == "call":
        row.result = report.outcome
        item.config.stash.setdefault(ROWS, []).append(row)
    elif row is not None and report.when == "teardown" and report.failed:
        row.result = report.outcome
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the table, if that is wanted."""
    target: Path | None = session.config.getoption("--torture-table", default=None)
    if target is not None:
        rows: list[Row] = session.config.stash.get(ROWS, [])
        target.write_text(page(rows, f"{utc_now():%Y-%m-%d}"))


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    """One real Redis for the session."""
    with real_redis() as server:
        yield server


@pytest.fixture
def redis_url(shared_redis: RedisServer) -> str:
    """Give the address of a real, empty Redis."""
    with redis.Redis.from_url(shared_redis.url) as client:
        client.flushall()
    return shared_redis.url


@pytest.fixture(autouse=True)
async def no_pending_tasks() -> AsyncIterator[None]:
    """Fail a test that leaves a task behind."""
    yield
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task() and not task.done()]
    assert left == []
