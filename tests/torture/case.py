"""
The observer of every case: runs a real watcher and holds it to what each case has to end with.

Published is exactly what is expected, in order and once; every publication is a whole valid report; served is always
the last good one; a metric moved.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from reportcast.broker.base import Broker, Refresh
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.messages import Message, Refreshed, Snapshot, Source, SourceState
from reportcast.contracts.report import parse_report

from tests.support.running import CHANNEL, RunningWatcher, running_watcher
from tests.support.wait import await_until
from tests.support.whole import wholes
from tests.torture.places import FIRST
from tests.torture.table import Row

TIMEOUT_S = 10.0
SAMPLE_S = 0.005
WATCH_MODE = "reportcast_watcher_watch_mode"

Metric = Callable[..., Awaitable[float]]


class Case:
    """
    One case on one file system.

    Attributes:
        snapshots: All that was published, in order.
        source: What the watcher said last of the file.
        metric: Reads one sample of the watcher's metrics.

    Args:
        broker: Where the watcher publishes.
        path: The watched file.
        row: To note the times in.
    """

    metric: Metric

    def __init__(self, broker: Broker, path: Path, row: Row) -> None:
        self.path = path
        self.snapshots: list[Snapshot] = []
        self.source: Source | None = None
        self._broker = broker
        self._row = row
        self._expected: list[bytes] = []
        self._moving: list[tuple[str, dict[str, str], float]] = []
        self._served: list[bytes | None] = [None]
        self._refreshed = 0
        self._is_over = False
        # Held while what is served is asked for.
        self._asking = asyncio.Lock()
        self._arrived = asyncio.Event()
        self._arrived_ns: list[int] = []

    @property
    def bodies(self) -> list[bytes]:
        """The contents that were published."""
        return [snapshot.body for snapshot in self.snapshots]

    async def publishes(self, raw: bytes, *, since_ns: int | None = None, timeout_s: float = TIMEOUT_S) -> Snapshot:
        """
        Expect that the next publication is ``raw``, wait for it, and note how long it took.

        Args:
            raw: The file's content.
            since_ns: When the change was made, since 1970; as the file system has it if not given.
            timeout_s: At most this long.
        """
        self._expected.append(parse_report(raw).body)
        index = len(self._expected) - 1
        await self.until(f"{len(self._expected)} were published", lambda: len(self.snapshots) > index, timeout_s)
        assert self.bodies[index] == self._expected[index], "something else was published"
        changed_ns = changed_at_ns(self.path) if since_ns is None else since_ns
        self._row.times_ms.append(max(0, self._arrived_ns[index] - changed_ns) / 1e6)
        return self.snapshots[index]

    def expects_what_came(self) -> None:
        """Take what was published so far for what was expected; the test has judged it."""
        self._expected = self.bodies

    async def refuses(self, words: str) -> Source:
        """Wait until the present content is refused with these words, while the last good one is served."""
        await self.until(f"it is refused with {words!r}", lambda: words in self._reason(SourceState.REJECTED))
        assert await self.served() == (self._expected[-1] if self._expected else None)
        assert self.source is not None
        return self.source

    async def waits(self) -> str:
        """Wait until the watcher says that it waits for a first report."""
        await self.until("it waits for a report", lambda: self._reason(SourceState.WAITING))
        return self._reason(SourceState.WAITING)

    async def until(self, what: str, condition: Callable[[], object], timeout_s: float = TIMEOUT_S) -> None:
        """Wait until a message makes ``condition`` true."""
        try:
            async with asyncio.timeout(timeout_s):
                while not condition():
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError as exc:
            known = f"{len(self.snapshots)} publications, the source is {self.source}"
            raise AssertionError(f"waited {timeout_s:g} s until {what}; there are {known}") from exc

    async def counts(self, name: str, at_least: float, **labels: str) -> None:
        """Wait until a metric has reached a value."""

        async def has_reached() -> bool:
            return await self.metric(name, **labels) >= at_least

        await await_until(f"{name} is {at_least:g}", has_reached)

    async def moves(self, name: str, **labels: str) -> None:
        """Expect that this metric is greater at the end than now."""
        self._moving.append((name, labels, await self.metric(name, **labels)))

    async def served(self) -> bytes | None:
        """Give what clients get now."""
        snapshot = (await self._broker.state(CHANNEL)).snapshot
        return snapshot.body if snapshot else None

    async def refresh(self) -> None:
        """Have the file read once more; whatever that has to lead to has happened on return."""
        before = self._refreshed

        async def is_requested() -> bool:
            return await self._broker.request_refresh(CHANNEL) is Refresh.REQUESTED

        await await_until("a watcher takes the request", is_requested)
        await self.until("the file was read again", lambda: self._refreshed > before)

    async def record(self, messages: AsyncIterator[Message]) -> None:
        """Note all that is published, for ever."""
        async for message in wholes(self._broker, CHANNEL, messages):
            if isinstance(message, Snapshot):
                self.snapshots.append(message)
                self._arrived_ns.append(time.time_ns())
            elif isinstance(message, Source):
                self.source = message
            elif isinstance(message, Refreshed):
                self._refreshed += 1
            self._arrived.set()

    async def sample(self) -> None:
        """Note all that is served, until ``stop_sampling``."""
        while not self._is_over:
            async with self._asking:
                served = await self.served()
            if served != self._served[-1]:
                self._served.append(served)
            await asyncio.sleep(SAMPLE_S)

    def unasked(self) -> contextlib.AbstractAsyncContextManager[None]:
        """Have no question under way in the block: its answer would be late if the event loop were blocked."""
        return self._asking

    def stop_sampling(self) -> None:
        """Have ``sample`` return."""
        self._is_over = True

    async def finish(self) -> None:
        """Check all that a case has to end with."""
        for name, labels, before in self._moving:
            assert await self.metric(name, **labels) > before, f"{name} {labels} did not move"
        assert self._moving, "no metric was expected to move"
        await self.refresh()
        assert self.bodies == self._expected, "published is not what is expected, each once and in order"
        self.check_whole()
        assert await self.served() == (self.bodies[-1] if self.bodies else None)

    def check_whole(self) -> None:
        """Check that every publication is whole and valid, that none is missing, and what was served meanwhile."""
        bodies = self.bodies
        assert [snapshot.position.offset for snapshot in self.snapshots] == list(range(1, len(bodies) + 1))
        assert len({snapshot.position.epoch for snapshot in self.snapshots}) <= 1
        assert all(parse_report(body).body == body for body in bodies)
        assert None not in self._served[1:]
        left = iter(bodies)
        assert all(served in left for served in self._served[1:] if served is not None), (
            "served was not always the last good report"
        )

    def _reason(self, state: SourceState) -> str:
        return self.source.reason or "" if self.source and self.source.state is state else ""


@contextlib.asynccontextmanager
async def observing(broker: Broker, path: Path, row: Row) -> AsyncIterator[Case]:
    """Observe what watchers of ``path`` publish until the end of the block; ``finish`` has to be called in it."""
    case = Case(broker, path, row)
    async with broker.subscribe(CHANNEL) as messages, asyncio.TaskGroup() as tasks:
        recording = tasks.create_task(case.record(messages))
        tasks.create_task(case.sample())
        yield case
        case.stop_sampling()
        recording.cancel()


@contextlib.asynccontextmanager
async def torture(path: Path, row: Row, *, first: bytes | None = FIRST, **settings: Any) -> AsyncIterator[Case]:
    """
    Run a watcher in this process, observe it, and check at the end of the block what a case has to end with.

    Args:
        path: What it watches.
        row: To note the times in.
        first: Published before the block begins; ``None``: there is nothing to publish.
        settings: Of the watcher.
    """
    broker = MemoryBroker(asyncio.get_running_loop().time)
    async with observing(broker, path, row) as case, running_watcher(broker, path, **settings) as watcher:
        case.metric = _metric_of(watcher)
        await await_until("it is known how changes are noticed", lambda: watcher.has(WATCH_MODE))
        if first is not None:
            await case.publishes(first)
            row.times_ms.clear()
        yield case
        await case.finish()


def _metric_of(watcher: RunningWatcher) -> Metric:
    async def metric(name: str, **labels: str) -> float:
        return watcher.metric(name, **labels)

    return metric


def changed_at_ns(path: Path) -> int:
    """Tell when what ``path`` leads to last changed, since 1970: content, name or link, whatever was last."""
    found = [os.stat(path).st_ctime_ns]
    for _ in range(8):
        found += [os.lstat(each).st_ctime_ns for each in (path, path.parent) if each == path or each.is_symlink()]
        if not path.is_symlink():
            break
        path = path.parent / path.readlink()
    return max(found)
