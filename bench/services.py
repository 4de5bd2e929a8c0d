"""Redis, watcher and gateway as they run in production: real processes, on free ports of this machine."""

import contextlib
import dataclasses
import http.client
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from reportcast.contracts.channels import CANARY

from tests.support.ports import free_port
from tests.support.redis_server import redis_process
from tests.support.wait import wait_until

HOST = "127.0.0.1"
READY_WITHIN_S = 30.0
STOP_WITHIN_S = 15.0

Metrics = dict[str, float]


@dataclasses.dataclass(frozen=True, slots=True)
class System:
    """What runs; the ports are those of the HTTP endpoints."""

    watcher_port: int
    gateway_port: int

    def metrics(self) -> Metrics:
        """Read every metric's total; the names of the process's own begin with ``watcher:`` or ``gateway:``."""
        return _metrics("watcher", self.watcher_port) | _metrics("gateway", self.gateway_port)


@dataclasses.dataclass(frozen=True, slots=True)
class RunningWatcher:
    """
    A watcher's process.

    Attributes:
        pid: Its number.
        port: Of its HTTP endpoints.
        log: Where its log goes.
    """

    pid: int
    port: int
    log: Path

    def metrics(self) -> Metrics:
        """Read every metric's total."""
        return totals(_get(self.port, "/metrics")[1])


@contextlib.contextmanager
def running_system(report: Path, folder: Path) -> Iterator[System]:
    """Run the three on ``report`` until the end of the block; their logs go to ``folder``."""
    watcher_port, gateway_port = free_port(), free_port()
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(redis_process()).url
        # Nothing else is passed on: a setting of the shell must not change what is measured.
        watcher = {"REDIS_URL": url, "REPORT_FILE": str(report), "WATCHER_PORT": str(watcher_port)}
        gateway = {"REDIS_URL": url, "GATEWAY_PORT": str(gateway_port)}
        stack.enter_context(running_service("reportcast-watcher", watcher, folder, watcher_port, "/readyz"))
        # /audit answers once the report has come all the way.
        stack.enter_context(running_service("reportcast-gateway", gateway, folder, gateway_port, "/audit"))
        yield System(watcher_port, gateway_port)


@contextlib.contextmanager
def running_watcher(url: str, folder: Path, settings: dict[str, str]) -> Iterator[RunningWatcher]:
    """Run the watcher alone until the end of the block; it has reached Redis by then."""
    port = free_port()
    given = {"REDIS_URL": url, "WATCHER_PORT": str(port), **settings}
    with running_service("reportcast-watcher", given, folder, port, "/readyz") as pid:
        yield RunningWatcher(pid, port, folder / "reportcast-watcher.log")


def totals(exposition: str) -> Metrics:
    """Give the sum of each metric over its labels; not of the canary, nor of buckets, which have none."""
    found: Metrics = {}
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            if "le" not in sample.labels and sample.labels.get("channel") != CANARY:
                found[sample.name] = found.get(sample.name, 0.0) + float(sample.value)
    return found


@contextlib.contextmanager
def running_service(name: str, settings: dict[str, str], folder: Path, port: int, path: str) -> Iterator[int]:
    """Run one of our commands until the end of the block, and give its process id; ``path`` answers 200 by then."""
    with running_command(name, [Path(sys.executable).with_name(name)], settings, folder, port, path) as pid:
        yield pid


@contextlib.contextmanager
def running_command(
    name: str, command: Sequence[str | Path], settings: dict[str, str], folder: Path, port: int, path: str
) -> Iterator[int]:
    """
    Run a server until the end of the block; it answers ``path`` by then.

    Args:
        name: What it is called, and its log in ``folder``.
        command: With its arguments.
        settings: All of its environment.
        folder: Where it runs.
        port: Of its HTTP endpoints.
        path: Answers 200 once it is up.
    """
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=settings, cwd=folder, stdout=output, stderr=output)
    try:
        wait_until(f"{name} answers", lambda: _is_up(process, log, port, path), READY_WITHIN_S)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_up(process: "subprocess.Popen[bytes]", log: Path, port: int, path: str) -> bool:
    assert process.poll() is None, f"it ended at once: {log.read_text()}"
    try:
        return _get(port, path)[0] == 200
    except OSError:
        return False


def _get(port: int, path: str) -> tuple[int, str]:
    with contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=5)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def _metrics(service: str, port: int) -> Metrics:
    found = totals(_get(port, "/metrics")[1])
    return {f"{service}:{name}" if name.startswith("process_") else name: value for name, value in found.items()}
