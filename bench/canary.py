"""
What `make bench-canary` runs: what the self-probe costs while nothing else happens.

    python -m bench.canary [--seconds N] [--rounds N] [--output DIR]

Redis, a watcher and a gateway with one report that does not change, with the canary as it comes and without; in turn,
and the median is kept. Prints one line of JSON and keeps it as bench/results/canary-<date>.json.
"""

import argparse
import dataclasses
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reportcast.contracts.clock import utc_now

from bench.fanout.usage import family_memory
from bench.latency import RESULTS, positive
from bench.machine import load_average, surroundings
from bench.services import running_service
from bench.watching.progress import progress
from bench.watching.usage import cpu_s
from bench.writer import report_bytes
from tests.support.ports import free_port
from tests.support.redis_server import redis_pid, redis_process

REPOS = 50
SETTLE_S = 5.0
OFF = {"REPORT_CANARY_S": "0", "GATEWAY_SELF_PROBE": "false"}


@dataclasses.dataclass(frozen=True, slots=True)
class Used:
    """By one process: percent of a core, and MiB that it has to itself or shares in proportion."""

    percent: float
    mib: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.canary", description="Measure what the self-probe costs.")
    parser.add_argument("--seconds", type=positive, default=30, help="of each round (%(default)s)")
    parser.add_argument("--rounds", type=positive, default=3, help="the median is kept (%(default)s)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where to keep results (bench/results)")
    options = parser.parse_args(arguments)
    began, load_before = utc_now(), load_average()
    pairs = [(used(options.seconds, {}), used(options.seconds, OFF)) for _ in range(options.rounds)]
    result = {
        **surroundings(began, load_before),
        "with": medians([given for given, _ in pairs]),
        "without": medians([given for _, given in pairs]),
    }
    (options.output / f"canary-{began:%Y-%m-%d}.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result))
    return 0


def used(seconds: float, settings: dict[str, str]) -> dict[str, Used]:
    """Run all three for so long, and give what each used."""
    ports = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="reportcast-bench-") as name, redis_process() as redis:
        folder = Path(name)
        report = folder / "GitRepoReport.json"
        report.write_bytes(report_bytes(1, REPOS))
        common = {"REDIS_URL": redis.url, "TMPDIR": name}
        watcher = common | {"REPORT_FILE": str(report), "WATCHER_PORT": str(ports[0])} | of("REPORT_", settings)
        gateway = common | {"GATEWAY_PORT": str(ports[1])} | of("GATEWAY_", settings)
        with (
            running_service("reportcast-watcher", watcher, folder, ports[0], "/readyz") as watching,
            running_service("reportcast-gateway", gateway, folder, ports[1], "/audit") as serving,
        ):
            pids = {"watcher": watching, "gateway": serving, "redis": redis_pid(redis.url)}
            time.sleep(SETTLE_S)
            began_s, before_s = time.monotonic(), {each: cpu_s(pid) for each, pid in pids.items()}
            time.sleep(seconds)
            lasted_s = time.monotonic() - began_s
            found = {each: Used(100 * (cpu_s(pid) - before_s[each]) / lasted_s, mib(pid)) for each, pid in pids.items()}
    progress(f"{'without' if settings else 'with'} canary: {found}")
    return found


def of(prefix: str, settings: dict[str, str]) -> dict[str, str]:
    """Give those of one service: it refuses others."""
    return {name: value for name, value in settings.items() if name.startswith(prefix)}


def mib(pid: int) -> float:
    """Give the memory of a process."""
    return family_memory(pid).proportional / 2**20


def medians(rounds: Sequence[dict[str, Used]]) -> dict[str, Any]:
    """Give the median of each figure."""
    return {
        service: {
            "percent_of_a_core": round(statistics.median(each[service].percent for each in rounds), 3),
            "mib": round(statistics.median(each[service].mib for each in rounds), 1),
        }
        for service in rounds[0]
    }


if __name__ == "__main__":
    sys.exit(main())
