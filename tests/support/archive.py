"""An archive without its watcher, what it keeps in a directory, and a disk that hangs."""

import asyncio
import contextlib
import datetime
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

from reportcast.contracts.report import ReportKind, parse_report
from reportcast.telemetry.metrics import new_registry
from watcher.archive import Archive
from watcher.metrics import ChannelMetrics, WatcherMetrics
from watcher.settings import SourceSettings

from tests.support.reports import MOMENT, audit_bytes, publication
from tests.support.running import CHANNEL

ERRORS = "reportcast_watcher_history_errors_total"


def kept(directory: Path) -> list[str]:
    """Give the names of the kept reports."""
    return sorted(path.name for path in directory.glob("*.json") if path.name != "latest.json")


def is_latest(directory: Path, content: bytes) -> bool:
    """Tell whether the latest report is this."""
    latest = directory / "latest.json"
    return latest.exists() and latest.read_bytes() == content


def body(mark: int) -> bytes:
    """Give what clients get of a report."""
    return parse_report(audit_bytes(mark)).body


class DirectArchive(Archive):
    """An archive without its watcher; what it counts can be read."""

    def __init__(self, directory: Path) -> None:
        self.registry = new_registry()
        metrics = ChannelMetrics(WatcherMetrics(self.registry), CHANNEL)
        super().__init__(directory, ReportKind.AUDIT, SourceSettings.model_validate({}), metrics, ticking())

    def keep_marks(self, *marks: int) -> None:
        """Keep reports one after the other."""
        for mark in marks:
            self.keep(name(mark), publication(mark))

    @property
    def errors(self) -> float:
        """What was not kept."""
        return self.registry.get_sample_value(ERRORS, {"channel": CHANNEL}) or 0.0


def ticking() -> Callable[[], datetime.datetime]:
    """Give a clock that goes on by a second whenever it is read."""
    seconds = itertools.count()
    return lambda: MOMENT + datetime.timedelta(seconds=next(seconds))


def name(mark: int) -> str:
    """Give the name of a report in the history."""
    return f"2026-11-23T12:00:{mark:02}Z.json"


@contextlib.contextmanager
def hung_disk() -> Iterator[threading.Event]:
    """Let every sync wait until the event is set, as it is at the end."""
    sync, answers = os.fsync, threading.Event()

    def wait(descriptor: int) -> None:
        answers.wait()
        sync(descriptor)

    with mock.patch.object(os, "fsync", wait):
        try:
            yield answers
        finally:
            answers.set()


def writes(directory: Path) -> list[Path]:
    """Give the files that are being written."""
    return list(directory.glob(".reportcast-*.tmp"))


async def written(archive: Archive) -> None:
    """See all written that waits, as at the end of a watcher."""
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(archive.run())
        await asyncio.sleep(0)
        running.cancel()
