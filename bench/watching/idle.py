"""What watching costs while nothing changes."""

import dataclasses
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.services import running_watcher
from bench.watching.progress import progress
from bench.watching.usage import cpu_s, resident_mib
from bench.writer import report_bytes
from tests.support.redis_server import redis_pid, redis_process
from tests.support.wait import wait_until

REPORTS = 100
REPOS = 50
WITHIN_S = 30.0
SETTLE_S = 5.0
SECONDS = 30.0
AIM_PERCENT = 1.0


@dataclasses.dataclass(frozen=True, slots=True)
class Idle:
    """
    What was found.

    Attributes:
        percent: Of one core, by the watcher.
        redis_percent: By Redis, for its sake.
        resident_mib: Of the watcher.
    """

    percent: float
    redis_percent: float
    resident_mib: float

    @property
    def verdicts(self) -> dict[str, bool]:
        """Whether the aim is met."""
        return {f"{REPORTS} idle reports in < {AIM_PERCENT:g} % of a core": self.percent < AIM_PERCENT}

    def as_json(self) -> dict[str, Any]:
        """Give what JSON can hold."""
        return {name: round(value, 3) for name, value in dataclasses.asdict(self).items()}


def measure(parent: Path, seconds: float = SECONDS) -> Idle:
    """Watch REPORTS reports below ``parent`` that do not change, for so long."""
    with tempfile.TemporaryDirectory(prefix="reportcast-bench-", dir=parent) as folder, redis_process() as redis:
        reports = {f"c{number:03}": Path(folder) / f"{number:03}.json" for number in range(REPORTS)}
        for number, path in enumerate(reports.values()):
            path.write_bytes(report_bytes(number, REPOS))
        settings = {"REPORTS": ",".join(f"{channel}={path}" for channel, path in reports.items())}
        with running_watcher(redis.url, Path(folder), settings) as watcher:
            wait_until(
                "all are published",
                lambda: watcher.metrics()["reportcast_watcher_published_total"] >= REPORTS,
                WITHIN_S,
            )
            time.sleep(SETTLE_S)
            used = _used_over(seconds, watcher.pid, redis_pid(redis.url))
            found = Idle(used[0] * 100, used[1] * 100, resident_mib(watcher.pid))
    progress(f"{REPORTS} idle reports: {found.percent:.2f} % of a core, Redis {found.redis_percent:.2f} %")
    return found


def _used_over(seconds: float, *pids: int) -> list[float]:
    """Give the shares of a core that processes use over a time."""
    began_s, before_s = time.monotonic(), [cpu_s(pid) for pid in pids]
    time.sleep(seconds)
    lasted_s = time.monotonic() - began_s
    return [(cpu_s(pid) - used_s) / lasted_s for pid, used_s in zip(pids, before_s, strict=True)]
