"""Whether memory stays flat over very many changes."""

import dataclasses
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.services import running_watcher
from bench.watching.heard import subscribed
from bench.watching.progress import progress
from bench.watching.usage import resident_mib
from bench.watching.ways import Producer, Way
from tests.support.redis_server import redis_process

CHANNEL = "audit"
REPOS = 5
CHANGES = 100_000
MAX_S = 600.0
AIM_PERCENT = 5.0
# The producer would otherwise be many times faster than anything that reads each change.
PAUSE_EVERY, PAUSE_S = 4, 0.001
# Memory goes up and down with what is just read: the median of so many samples.
SAMPLES = 20
TOLD_EVERY = 0.1
WITHIN_S = 10.0


@dataclasses.dataclass(frozen=True, slots=True)
class Flat:
    """
    What was found.

    Attributes:
        changes: How many there were.
        seconds: How long they took.
        published: How many the watcher published; the rest was overwritten before it could be read.
        early_mib: Resident memory over the second tenth of them.
        late_mib: Over the last tenth.
        is_current: Whether the last change is what is published in the end.
    """

    changes: int
    seconds: float
    published: int
    early_mib: float
    late_mib: float
    is_current: bool

    @property
    def growth_percent(self) -> float:
        """How much memory grew."""
        return (self.late_mib / self.early_mib - 1) * 100

    @property
    def verdicts(self) -> dict[str, bool]:
        """Whether each aim is met."""
        return {
            f"memory grows < {AIM_PERCENT:g} % after the first tenth": self.growth_percent < AIM_PERCENT,
            "the last change is published": self.is_current,
        }

    def as_json(self) -> dict[str, Any]:
        """Give what JSON can hold."""
        fields = dataclasses.asdict(self) | {"growth_percent": self.growth_percent}
        return {name: round(value, 2) if isinstance(value, float) else value for name, value in fields.items()}


def measure(parent: Path, changes: int = CHANGES) -> Flat:
    """Change a small report below ``parent`` so often, as fast as it goes, but for no longer than MAX_S."""
    with tempfile.TemporaryDirectory(prefix="reportcast-bench-", dir=parent) as folder, redis_process() as redis:
        reports = Path(folder) / "reports"
        reports.mkdir()
        producer = Producer(reports, Way.RENAME, REPOS)
        producer.write()
        settings = {"REPORT_FILE": str(producer.path), "LOG_LEVEL": "warning"}
        with (
            subscribed(redis.url, CHANNEL) as heard,
            running_watcher(redis.url, Path(folder), settings) as watcher,
        ):
            began_s = time.monotonic()
            sizes = _change(producer, changes, watcher.pid, began_s + MAX_S)
            seconds = time.monotonic() - began_s
            is_current = heard.wait_for(producer.change, WITHIN_S)
            published = int(watcher.metrics()["reportcast_watcher_published_total"])
    early_mib, late_mib = early_and_late(sizes)
    return Flat(producer.change, seconds, published, early_mib, late_mib, is_current)


def early_and_late(sizes: list[float]) -> tuple[float, float]:
    """Give the medians of the second and the last tenth of samples; the first is warm-up."""
    tenth = max(1, len(sizes) // 10)
    return statistics.median(sizes[tenth : 2 * tenth] or sizes), statistics.median(sizes[-tenth:])


def _change(producer: Producer, changes: int, pid: int, deadline_s: float) -> list[float]:
    sizes: list[float] = []
    every = max(1, changes // (10 * SAMPLES))
    for number in range(1, changes + 1):
        producer.write()
        if number % PAUSE_EVERY == 0:
            time.sleep(PAUSE_S)
        if number % every == 0:
            sizes.append(resident_mib(pid))
        if number % max(1, int(changes * TOLD_EVERY)) == 0:
            progress(f"{number} of {changes} changes, {sizes[-1] if sizes else 0:.1f} MiB")
        if time.monotonic() > deadline_s:
            progress(f"{MAX_S:g} s are over after {number} changes")
            break
    return sizes
