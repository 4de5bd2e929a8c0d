"""
What `make bench-latency` runs: how long a change takes from the file to the clients, end to end.

    python -m bench.latency [--changes N] [--clients N,N] [--repos N] [--output DIR]

Redis, watcher, gateway, the clients and the producer are separate processes on this machine; for each number of
clients and each way of writing they are started afresh. The table goes to standard output, then the same as one line of
JSON; both are kept in bench/results, with a picture. Exit codes: 0, 1 when a client did not get every change in order
exactly once (nothing is kept then), 2 for arguments that cannot be used.
"""

import argparse
import dataclasses
import datetime
import json
import math
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reportcast.contracts.clock import utc_now

from bench.clients import LoadClients, load_clients
from bench.machine import load_average, surroundings
from bench.receipts import Faults, Receipt, find_faults, latencies_ms, percentile
from bench.results import Result, Row
from bench.services import Metrics, System, running_system
from bench.writer import Mode, Writer, report_bytes

RESULTS = Path(__file__).resolve().with_name("results")

# Between changes. A broadcast to many clients takes time, and the next change must not meet the end of it, because
# the gateway would rightly conflate then: so the pace grows with the clients.
PACE_S = 0.075
PACE_PER_CLIENT_S = 0.0004
JITTER = 1 / 3
WARM_UP_CHANGES = 20
# Clients that get nothing for so long will not get it.
GIVE_UP_S = 10.0
SPARE_DESCRIPTORS = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    options = parse_arguments(arguments)
    allow_descriptors(max(options.clients))
    began, load_before = utc_now(), load_average()
    rows = [
        measure(clients, mode, options.changes, options.repos) for clients in options.clients for mode in options.modes
    ]
    facts = facts_of(began, load_before, options)
    result = Result(facts, rows)
    print(result.table(), result.breakdown(), result.verdict(), json.dumps(result.as_json()), sep="\n\n")
    if not all(row.is_faithful for row in rows):
        progress("FAILED: a client did not get every change, in order, exactly once; no results are kept")
        return 1
    keep(result, options.output, began)
    return 0


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.latency", description="Measure file-to-client latency.")
    parser.add_argument("--changes", type=positive, default=100, help="measured changes each (%(default)s)")
    parser.add_argument("--clients", type=positives, default=[1, 100, 1000], help="numbers of clients (1,100,1000)")
    parser.add_argument("--modes", type=modes, default=list(Mode), help="ways of writing (replace,in place)")
    parser.add_argument("--repos", type=positive, default=50, help="repositories in the report (%(default)s)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where to keep results (bench/results)")
    return parser.parse_args(arguments)


def positive(text: str) -> int:
    """Read a number of at least 1."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def positives(text: str) -> list[int]:
    """Read comma-separated numbers."""
    return [positive(part) for part in text.split(",")]


def modes(text: str) -> list[Mode]:
    """Read comma-separated ways of writing."""
    return [Mode(part) for part in text.split(",")]


def allow_descriptors(clients: int) -> None:
    """Let this process and those it starts open a socket for each client."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = clients + SPARE_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


@dataclasses.dataclass(frozen=True, slots=True)
class Observation:
    """
    What one stage saw.

    Attributes:
        received: What each client received, warm-up included.
        began_ns: When the clock of each change started, by its number.
        first: Number of the first change that is measured.
        spent: How much the services' metrics grew over the measured changes.
        clients_cpu_s: CPU time of the clients' process, likewise.
    """

    received: list[list[Receipt]]
    began_ns: dict[int, int]
    first: int
    spent: Metrics
    clients_cpu_s: float


def measure(clients: int, mode: Mode, changes: int, repos: int) -> Row:
    """Measure one number of clients and one way of writing."""
    pace_s = max(PACE_S, PACE_PER_CLIENT_S * clients)
    name = f"{clients} client{'s' * (clients != 1)}, {mode.value}"
    progress(f"{name}: {changes} changes, one in about {pace_s * 1000:.0f} ms")
    with tempfile.TemporaryDirectory(prefix="reportcast-bench-") as folder:
        report = Path(folder) / "reports" / "GitRepoReport.json"
        report.parent.mkdir()
        writer = Writer(report, mode, repos)
        writer.write()
        with running_system(report, Path(folder)) as system, load_clients(system.gateway_port, clients) as load:
            observation = observe(writer, system, load, changes, pace_s)
    row = row_of(observation, mode, changes, pace_s)
    progress(f"{name}: p50 {row.p50_ms:.1f} ms, p99 {row.p99_ms:.1f} ms")
    return row


def observe(writer: Writer, system: System, load: LoadClients, changes: int, pace_s: float) -> Observation:
    """Change the file, first to warm up and then to measure."""
    load.wait_for(writer.change, GIVE_UP_S)
    make_changes(writer, WARM_UP_CHANGES, pace_s)
    cpu_before_s = load.wait_for(writer.change, GIVE_UP_S)
    before, first = system.metrics(), writer.change + 1
    make_changes(writer, changes, pace_s)
    cpu_after_s = load.wait_for(writer.change, GIVE_UP_S)
    spent = difference(before, system.metrics())
    return Observation(load.receipts(), writer.began_ns, first, spent, cpu_after_s - cpu_before_s)


def row_of(seen: Observation, mode: Mode, changes: int, pace_s: float) -> Row:
    """Sum up what one stage saw."""
    timings = [timing for receipts in seen.received for timing in latencies_ms(receipts, seen.began_ns, seen.first)]
    timings = sorted(timings) or [math.nan]
    # From the first change on: the report that stood when the client came counts too.
    faults = [find_faults([change for change, _ in one], 1, max(seen.began_ns)) for one in seen.received]
    return Row(
        clients=len(seen.received),
        mode=mode,
        changes=changes,
        pace_ms=pace_s * 1000,
        receipts=len(timings),
        mean_ms=statistics.fmean(timings),
        p50_ms=percentile(timings, 50),
        p99_ms=percentile(timings, 99),
        max_ms=timings[-1],
        faults=sum(faults, Faults()),
        conflated=int(seen.spent["reportcast_gateway_conflated_total"]),
        missed=int(seen.spent["reportcast_gateway_missed_total"]),
        file_to_redis_ms=mean_ms(seen.spent, "reportcast_watcher_publish_latency_seconds"),
        redis_to_hub_ms=mean_ms(seen.spent, "reportcast_gateway_relay_latency_seconds"),
        watcher_cpu_ms=seen.spent["watcher:process_cpu_seconds_total"] * 1000 / changes,
        gateway_cpu_ms=seen.spent["gateway:process_cpu_seconds_total"] * 1000 / changes,
        clients_cpu_ms=seen.clients_cpu_s * 1000 / changes,
    )


def make_changes(writer: Writer, changes: int, pace_s: float) -> None:
    """Change the file at an uneven pace, so that it does not fall in step with anything."""
    chance = random.Random(writer.change)
    for _ in range(changes):
        time.sleep(pace_s * chance.uniform(1 - JITTER, 1 + JITTER))
        writer.write()


def difference(before: Metrics, after: Metrics) -> Metrics:
    """Give how much each metric has grown."""
    return {name: value - before.get(name, 0.0) for name, value in after.items()}


def mean_ms(spent: Metrics, histogram: str) -> float:
    """Give the mean of what a histogram in seconds observed."""
    return spent[f"{histogram}_sum"] * 1000 / max(1.0, spent[f"{histogram}_count"])


def facts_of(began: datetime.datetime, load_before: list[float], options: argparse.Namespace) -> dict[str, Any]:
    """Describe the run."""
    return {
        "command": f"python -m bench.latency --changes {options.changes} --repos {options.repos}"
        f" --clients {','.join(map(str, options.clients))}",
        **surroundings(began, load_before),
        "report_bytes": len(report_bytes(1, options.repos)),
        "warm_up_changes": WARM_UP_CHANGES,
    }


def keep(result: Result, folder: Path, began: datetime.datetime) -> None:
    """Write the three files."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"latency-{began:%Y-%m-%d}"
    (folder / f"{name}.json").write_text(json.dumps(result.as_json(), indent=2) + "\n")
    (folder / f"{name}.md").write_text(result.markdown())
    (folder / "latency.svg").write_text(result.picture())
    progress(f"kept {name}.json, {name}.md and latency.svg")


def progress(sentence: str) -> None:
    """Tell a person who waits."""
    print(f"bench: {sentence}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
