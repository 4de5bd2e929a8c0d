"""What a large report costs: CPU time per change, and memory."""

import dataclasses
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.services import RunningWatcher, running_watcher
from bench.watching.heard import Heard, subscribed
from bench.watching.progress import progress
from bench.watching.usage import cpu_s, peak_mib, resident_mib
from bench.watching.ways import Producer, Way
from bench.writer import report_bytes
from tests.support.redis_server import redis_process
from tests.support.wait import wait_until

CHANNEL = "audit"
REPOS, MANY_REPOS = 10_000, 100_000
CHANGES, MANY_CHANGES = 10, 4
AIM_CPU_MS, AIM_PEAK_MIB = 60.0, 400.0

MAX_BYTES = 64 * 1024 * 1024
WITHIN_S = 30.0
# A process that used less than a ms in so long has done what there was to do.
QUIET_S, QUIET_CPU_S = 0.3, 0.001


@dataclasses.dataclass(frozen=True, slots=True)
class Large:
    """
    What was found.

    Attributes:
        bytes: Of the report with REPOS repositories, as written.
        cpu_ms: CPU time of the watcher for each change of it.
        idle_mib: Resident memory when that was done.
        many_bytes: Of the report with MANY_REPOS repositories.
        many_cpu_ms: As ``cpu_ms``.
        peak_mib: The most resident memory over all of its changes, and a torn one that was rejected.
    """

    bytes: int
    cpu_ms: list[float]
    idle_mib: float
    many_bytes: int
    many_cpu_ms: list[float]
    peak_mib: float

    @property
    def median_ms(self) -> float:
        """CPU time of a change with REPOS repositories."""
        return statistics.median(self.cpu_ms)

    @property
    def verdicts(self) -> dict[str, bool]:
        """Whether each aim is met."""
        return {
            f"a change of {REPOS} repositories in < {AIM_CPU_MS:g} ms of CPU": self.median_ms < AIM_CPU_MS,
            f"{MANY_REPOS} repositories in <= {AIM_PEAK_MIB:g} MiB": self.peak_mib <= AIM_PEAK_MIB,
        }

    def as_json(self) -> dict[str, Any]:
        """Give what JSON can hold."""
        rounded = {"cpu_ms": [round(each, 1) for each in self.cpu_ms]}
        rounded |= {"many_cpu_ms": [round(each, 1) for each in self.many_cpu_ms]}
        return dataclasses.asdict(self) | rounded | {"median_ms": round(self.median_ms, 1)}


def measure(parent: Path) -> Large:
    """Measure both reports, in directories below ``parent``."""
    size, cpu_ms, idle_mib, _ = _measure(parent, REPOS, CHANGES, tear=False)
    progress(f"{REPOS} repositories: {statistics.median(cpu_ms):.1f} ms of CPU per change, {idle_mib:.0f} MiB")
    many_size, many_cpu_ms, _, peak = _measure(parent, MANY_REPOS, MANY_CHANGES, tear=True)
    progress(f"{MANY_REPOS} repositories: {statistics.median(many_cpu_ms):.0f} ms per change, peak {peak:.0f} MiB")
    return Large(size, cpu_ms, idle_mib, many_size, many_cpu_ms, peak)


def _measure(parent: Path, repos: int, changes: int, *, tear: bool) -> tuple[int, list[float], float, float]:
    with tempfile.TemporaryDirectory(prefix="reportcast-bench-", dir=parent) as folder, redis_process() as redis:
        reports = Path(folder) / "reports"
        reports.mkdir()
        producer = Producer(reports, Way.RENAME, repos)
        producer.write()
        settings = {"REPORT_FILE": str(producer.path), "REPORT_MAX_BYTES": str(MAX_BYTES)}
        with (
            subscribed(redis.url, CHANNEL) as heard,
            running_watcher(redis.url, Path(folder), settings) as watcher,
        ):
            assert heard.wait_for(1, WITHIN_S), f"nothing was published: {watcher.log.read_text()}"
            spent = [_change(producer, heard, watcher) for _ in range(changes)]
            size = producer.path.stat().st_size
            if tear:
                _tear(producer.path, watcher)
            return size, spent, resident_mib(watcher.pid), peak_mib(watcher.pid)


def _change(producer: Producer, heard: Heard, watcher: RunningWatcher) -> float:
    """Change the report, and give the CPU time that the watcher takes for it, in ms."""
    _until_quiet(watcher.pid)
    before_s = cpu_s(watcher.pid)
    producer.write()
    assert heard.wait_for(producer.change, WITHIN_S), f"a change was not published: {watcher.log.read_text()}"
    return (_until_quiet(watcher.pid) - before_s) * 1000


def _tear(path: Path, watcher: RunningWatcher) -> None:
    """Write half of a report, as a producer does that dies, and wait until it is rejected."""
    content = report_bytes(0, MANY_REPOS)
    path.write_bytes(content[: len(content) // 2])
    wait_until(
        "the torn report is rejected", lambda: watcher.metrics()["reportcast_watcher_rejected_total"] >= 1, WITHIN_S
    )
    _until_quiet(watcher.pid)


def _until_quiet(pid: int) -> float:
    """Wait until a process rests, and give the CPU time it has used."""
    used_s, deadline_s = cpu_s(pid), time.monotonic() + WITHIN_S
    while True:
        time.sleep(QUIET_S)
        before_s, used_s = used_s, cpu_s(pid)
        if used_s - before_s < QUIET_CPU_S or time.monotonic() > deadline_s:
            return before_s
