"""
What `make bench-storm` runs: how clients come back after a gateway was killed.

    python -m bench.storm [--clients N] [--restart-s S]

Two gateways on one Redis, and the clients of one process to them, all on this machine, while a report changes twice a
second. One gateway is killed and started again at once; its clients come back with full jitter (base 0.5 s, cap 30 s)
and their position: half of them know no other address, the rest try either, as chance has it, then each in turn. A
client is settled when it was answered `following` and has the newest change of that moment. The table and one line of
JSON go to standard output; both are kept in bench/results, with a picture. Exit codes: 0, 1 if not all were settled
within 10 s, or a change was lost.
"""

import argparse
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from reportcast.contracts.clock import utc_now

from bench.latency import RESULTS, allow_descriptors, positive
from bench.machine import commit, load_average, machine, versions
from bench.services import running_service
from bench.storming.crowd import Crowd
from bench.storming.results import AIM_S, picture_of, storm_of, table_of
from bench.watching.progress import progress
from bench.writer import Mode, Writer
from tests.support.ports import free_port
from tests.support.redis_server import redis_process

REPOS = 50
CHANGE_EVERY_S = 0.5
ARRIVE_PER_CLIENT_S = 0.001
PATIENCE_S = 60.0
# A calm time before and after.
CALM_S = 3.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.storm", description="Measure a reconnect storm.")
    parser.add_argument("--clients", type=positive, default=5000, help="%(default)s")
    parser.add_argument("--restart-s", type=float, default=0.0, help="the gateway is started again after (%(default)s)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where to keep results (bench/results)")
    options = parser.parse_args(arguments)
    allow_descriptors(options.clients)
    result = measure(options.clients, options.restart_s)
    table = table_of(result)
    print(table, json.dumps(result), sep="\n\n")
    name = options.output / f"storm-{utc_now():%Y-%m-%d}"
    name.with_suffix(".json").write_text(json.dumps(result, indent=2) + "\n")
    name.with_suffix(".md").write_text(f"# A reconnect storm, {result['date']}\n\n{table}\n")
    name.with_suffix(".svg").write_text(picture_of(result))
    is_well = not (result["unsettled"] or result["behind_at_the_end"] or result["gaps"])
    return 0 if is_well and result["settled_after_s"] <= AIM_S else 1


def measure(clients: int, restart_s: float) -> dict[str, Any]:
    """Run the storm."""
    date, load_before = f"{utc_now():%Y-%m-%d %H:%M} UTC", load_average()
    with tempfile.TemporaryDirectory(prefix="reportcast-bench-") as name, running(Path(name)) as (gateways, writer):
        crowd = Crowd([gateway.port for gateway in gateways], clients, random.Random(1))
        try:
            storm = stormed(crowd, gateways[0], writer, restart_s)
        finally:
            crowd.close()
    return {
        "date": date,
        "command": f"python -m bench.storm --clients {clients} --restart-s {restart_s:g}",
        "commit": commit(),
        "machine": machine(),
        "versions": versions(),
        "load_average_before": load_before,
        "clients": clients,
        "restarted_after_s": restart_s,
        **storm,
    }


def stormed(crowd: Crowd, victim: "Gateway", writer: Writer, restart_s: float) -> dict[str, Any]:
    """Have all clients come, kill the gateway, and see them come back."""
    changing = True

    def change() -> None:
        if changing:
            writer.write()
            crowd.at(time.monotonic() + CHANGE_EVERY_S, change)

    change()
    crowd.arrive(len(crowd.clients) * ARRIVE_PER_CLIENT_S)
    if not crowd.run(lambda: not crowd.unsettled, PATIENCE_S):
        raise SystemExit(f"{crowd.unsettled} clients never came to follow")
    calm(crowd)
    before = totals(crowd)
    progress(f"{len(crowd.clients)} clients follow; killing a gateway")
    began_s = time.monotonic()
    victim.kill()
    crowd.at(began_s + restart_s, victim.start)
    crowd.run(lambda: crowd.unsettled > 0, PATIENCE_S)
    crowd.run(lambda: not crowd.unsettled, PATIENCE_S)
    unsettled = crowd.unsettled
    changing = False
    calm(crowd)
    newest = max(client.position for client in crowd.clients if client.position)
    after = totals(crowd)
    return {
        **storm_of(crowd.events, began_s, victim.ports),
        "unsettled": unsettled,
        "behind_at_the_end": sum(client.position != newest for client in crowd.clients),
        **{name: after[name] - before[name] for name in after},
    }


def calm(crowd: Crowd) -> None:
    """Let all that is under way arrive."""
    until_s = time.monotonic() + CALM_S
    crowd.run(lambda: time.monotonic() > until_s, PATIENCE_S)


def totals(crowd: Crowd) -> dict[str, int]:
    """Count what became of all resumes so far."""
    return {name: sum(getattr(client, name) for client in crowd.clients) for name in ("recovered", "refused", "gaps")}


class Gateway:
    """A gateway that can be killed and started again."""

    def __init__(self, settings: dict[str, str], folder: Path, port: int, ports: Sequence[int]) -> None:
        self.port = port
        self.ports = [port, *(each for each in ports if each != port)]
        self._settings = {**settings, "GATEWAY_PORT": str(port)}
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / f"gateway-{self.port}.log").open("ab") as log:
            command = [Path(sys.executable).with_name("reportcast-gateway")]
            self._process = subprocess.Popen(command, env=self._settings, cwd=self._folder, stdout=log, stderr=log)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def running(folder: Path) -> Iterator[tuple[list[Gateway], Writer]]:
    """Run Redis, a watcher and two gateways until the end of the block; they may not answer yet."""
    report, watcher_port, ports = folder / "report.json", free_port(), [free_port(), free_port()]
    writer = Writer(report, Mode.REPLACE, REPOS)
    writer.write()
    with redis_process() as redis, contextlib.ExitStack() as stack:
        link = {"REDIS_URL": redis.url, "LOG_LEVEL": "warning"}
        watch = {**link, "REPORT_FILE": str(report), "WATCHER_PORT": str(watcher_port)}
        stack.enter_context(running_service("reportcast-watcher", watch, folder, watcher_port, "/readyz"))
        gateways = [Gateway(link, folder, port, ports) for port in ports]
        for gateway in gateways:
            stack.callback(gateway.kill)
            gateway.start()
        yield gateways, writer


if __name__ == "__main__":
    sys.exit(main())
