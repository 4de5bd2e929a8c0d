"""The commands as people run them."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
from websockets.sync.client import ClientConnection

from tests.support.wait import wait_until

BIN = Path(sys.executable).parent


@contextlib.contextmanager
def running(*command: str, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command to the end of the block; it has to end with 0 on SIGTERM unless the block ended it."""
    process = subprocess.Popen([BIN / command[0], *command[1:]], env=environment(settings))
    try:
        yield process
        if process.poll() is None:
            process.terminate()
            assert process.wait(timeout=15) == 0
    finally:
        process.kill()
        process.wait()


def environment(settings: dict[str, str]) -> dict[str, str]:
    """Give the environment of a command; coverage needs the rest of ours."""
    return {**os.environ, **settings}  # noqa: TID251 - of a child, not a setting


def run(*command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command that is expected to end by itself."""
    return subprocess.run(
        [BIN / command[0], *command[1:]],
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def is_ready(port: int) -> bool:
    """Ask ``/readyz``."""
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"http://127.0.0.1:{port}/readyz").is_success
    return False


def wait_ready(port: int) -> None:
    """Wait until ``/readyz`` says so."""
    wait_until(f"port {port} is ready", lambda: is_ready(port), timeout_s=20)


def receive(client: ClientConnection) -> object:
    """Give the next report."""
    while True:
        frame = json.loads(client.recv(timeout=10))
        if frame["type"] == "audit-update":
            return frame["data"]
