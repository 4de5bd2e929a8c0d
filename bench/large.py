"""
What `make bench-large` runs: how long a gateway stands still while a large report goes through it.

    python -m bench.large [--sizes MB,MB] [--changes N] [--clients N,N] [--http N] [--output DIR]

Redis, the server, the clients and the prober are separate processes on this machine. The table goes to standard output,
then the same as one line of JSON; both are kept in bench/results. Exit codes: 0, 2 for arguments that cannot be used.
"""

import argparse
import datetime
import functools
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reportcast.contracts.clock import utc_now
from reportcast.contracts.report import parse_report

from bench.latency import RESULTS, allow_descriptors, positive, positives, progress
from bench.machine import load_average, surroundings
from bench.stalls.prober import probing
from bench.stalls.results import Result, Row
from bench.stalls.servers import Kind, Server, running_server
from bench.stalls.sinks import Received, connected_sinks
from bench.watching.usage import cpu_s, peak_mib
from bench.writer import report_bytes

# Repositories in a MB of a report as it is sent, without white space.
REPOS_PER_MB = 4400
IDLE_S = 0.5
# What clients get when they connect is not measured, so it is small.
FIRST = parse_report(report_bytes(0, 10)).body


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    options = parse_arguments(arguments)
    allow_descriptors(max(options.clients) + options.http)
    began, load_before = utc_now(), load_average()
    rows = [
        measure(kind, size, clients, options) for size in options.sizes for clients in options.clients for kind in Kind
    ]
    result = Result(facts_of(began, load_before, options), rows)
    print(result.table(), json.dumps(result.as_json()), sep="\n\n")
    keep(result, options.output, began)
    return 0


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.large", description="Measure how long a gateway stalls.")
    parser.add_argument("--sizes", type=positives, default=[1, 5, 15], help="of the report, in MB (1,5,15)")
    parser.add_argument(
        "--changes", type=positive, default=2, help="measured reports each (%(default)s); 1 of the peer"
    )
    parser.add_argument("--clients", type=positives, default=[1, 200], help="numbers of WebSocket clients (1,200)")
    parser.add_argument("--http", type=positive, default=20, help="HTTP clients (%(default)s)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where to keep results (bench/results)")
    return parser.parse_args(arguments)


@functools.cache
def reports_of(size: int, count: int) -> list[bytes]:
    """Give reports of a size in MB, as they are sent."""
    return [parse_report(report_bytes(number, size * REPOS_PER_MB)).body for number in range(1, count + 1)]


def measure(kind: Kind, size: int, clients: int, options: argparse.Namespace) -> Row:
    """Measure one server with reports of one size, and one number of WebSocket clients."""
    reports = reports_of(size, options.changes)[: 1 if kind is Kind.PEER else None]
    with (
        tempfile.TemporaryDirectory(prefix="reportcast-bench-") as folder,
        running_server(kind, FIRST, Path(folder)) as server,
        connected_sinks(server.port, clients, options.http) as sinks,
        probing(server.port) as take,
    ):
        time.sleep(IDLE_S)
        idle_ms, cpu_before_s = max(take()), cpu_s(server.pid)
        received = [sinks.receive(server.publish, report) for report in reports]
        row = row_of(kind, clients, len(reports[0]), idle_ms, take(), received, server, cpu_before_s)
    progress(f"{size} MB, {clients} WebSocket clients, {kind.value}: stood still for {row.longest_ms:.0f} ms at most")
    return row


def row_of(
    kind: Kind,
    clients: int,
    size: int,
    idle_ms: float,
    took_ms: list[float],
    received: Sequence[Received],
    server: Server,
    cpu_before_s: float,
) -> Row:
    """Sum up what was seen."""
    return Row(
        kind=kind,
        clients=clients,
        bytes=size,
        changes=len(received),
        idle_ms=idle_ms,
        longest_ms=max(took_ms),
        websocket_s=max(each.websocket_s for each in received),
        http_s=max(each.http_s for each in received),
        cpu_s=(cpu_s(server.pid) - cpu_before_s) / len(received),
        peak_mib=peak_mib(server.pid),
        sent_mb=received[-1].megabytes,
    )


def facts_of(began: datetime.datetime, load_before: list[float], options: argparse.Namespace) -> dict[str, Any]:
    """Describe the run."""
    return {
        "command": f"python -m bench.large --sizes {','.join(map(str, options.sizes))} --changes {options.changes}"
        f" --clients {','.join(map(str, options.clients))} --http {options.http}",
        **surroundings(began, load_before),
    }


def keep(result: Result, folder: Path, began: datetime.datetime) -> None:
    """Write the two files."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"large-{began:%Y-%m-%d}"
    (folder / f"{name}.json").write_text(json.dumps(result.as_json(), indent=2) + "\n")
    (folder / f"{name}.md").write_text(result.markdown())
    progress(f"kept {name}.json and {name}.md")


if __name__ == "__main__":
    sys.exit(main())
