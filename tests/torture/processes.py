"""Watchers as processes of their own, on a real Redis."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import httpx
from reportcast.broker.redis import RedisBroker

from tests.support.ports import free_port
from tests.support.wait import await_until
from tests.torture.case import Case, observing
from tests.torture.table import Row

COMMAND = Path(sys.executable).parent / "reportcast-watcher"


class WatcherProcess:
    """
    A watcher's process.

    Attributes:
        started_ns: When it was started, since 1970.

    Args:
        process: It.
        port: Of its endpoints.
        log: What it says.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: IO[bytes]) -> None:
        self.started_ns = time.time_ns()
        self._process = process
        self._port = port
        self._log = Path(log.name)

    async def metrics(self) -> str:
        """Give the page of metrics."""
        async with httpx.AsyncClient() as http:
            return (await http.get(f"http://127.0.0.1:{self._port}/metrics")).text

    async def metric(self, name: str, **labels: str) -> float:
        """Read one sample of ``/metrics``; 0 if there is none."""
        wanted = name + ("{" + ",".join(f'{k}="{v}"' for k, v in labels.items()) + "}" if labels else "") + " "
        lines = (await self.metrics()).splitlines()
        return next((float(line.removeprefix(wanted)) for line in lines if line.startswith(wanted)), 0.0)

    async def leads(self) -> bool:
        """Tell whether it is the one that publishes."""
        return await self.metric("reportcast_watcher_leader", channel="audit") == 1

    async def ready(self) -> None:
        """Wait until it is ready."""
        await await_until("the watcher's process is ready", self._is_ready, timeout_s=20)

    async def log_until(self, word: str) -> str:
        """Wait until its log has the word; give all of it."""
        await await_until(f"the log says {word!r}", lambda: word in self._log.read_text(), timeout_s=20)
        return self._log.read_text()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    async def end(self) -> None:
        """End it as an operator does."""
        self._process.terminate()
        await await_until("it has ended", lambda: self._process.poll() is not None)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._process.kill()
        self._process.wait()

    async def _is_ready(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        with contextlib.suppress(httpx.TransportError):
            async with httpx.AsyncClient() as http:
                return (await http.get(f"http://127.0.0.1:{self._port}/readyz")).is_success
        return False


@contextlib.asynccontextmanager
async def watching_process(redis_url: str, path: Path, row: Row) -> AsyncIterator[Case]:
    """Observe what processes publish; ``finish`` is called in the block, while one of them runs."""
    broker = RedisBroker(redis_url)
    try:
        async with observing(broker, path, row) as case:
            yield case
    finally:
        await broker.close()


@contextlib.asynccontextmanager
async def running_process(
    redis_url: str, path: Path, case: Case, before: Sequence[str] = (), **settings: str
) -> AsyncIterator[WatcherProcess]:
    """Run the command to the end of the block, and have ``case`` read its metrics."""
    port = free_port()
    chosen = {"REDIS_URL": redis_url, "REPORT_FILE": str(path), "WATCHER_PORT": str(port), "REPORT_SWEEP_S": "60"}
    environment = {**os.environ, **chosen, **settings}  # noqa: TID251 - of a child, not a setting
    with tempfile.NamedTemporaryFile(prefix="reportcast-torture-", suffix=".log") as log:
        running = WatcherProcess(_start([*before, str(COMMAND)], environment, log), port, log)
        case.metric = running.metric
        try:
            await running.ready()
            yield running
            await running.end()
        finally:
            running.kill()


def _start(command: Sequence[str], environment: Mapping[str, str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=environment, stdout=log, stderr=log)
