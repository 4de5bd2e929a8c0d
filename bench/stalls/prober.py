"""Asks ``/healthz`` every few ms, in a process of its own: a late answer is an event loop that stood still."""

import contextlib
import http.client
import multiprocessing
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

HOST = "127.0.0.1"
PAUSE_S = 0.003
ANSWER_WITHIN_S = 120.0


@contextlib.contextmanager
def probing(port: int) -> Iterator[Callable[[], list[float]]]:
    """Probe until what is given is called, which gives how long each answer took since it was called last, in ms."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_run, args=(port, theirs), daemon=True)
    process.start()
    theirs.close()

    def take() -> list[float]:
        ours.send(None)
        took_ms: list[float] = ours.recv()
        return took_ms

    try:
        take()
        yield take
    finally:
        ours.close()
        process.join(ANSWER_WITHIN_S)
        process.kill()


def _run(port: int, commands: "Connection[Any, Any]") -> None:
    took_ms: list[float] = []
    with (
        contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=ANSWER_WITHIN_S)) as connection,
        contextlib.suppress(EOFError, KeyboardInterrupt),
    ):
        while True:
            began_s = time.perf_counter()
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            took_ms.append((time.perf_counter() - began_s) * 1000)
            if commands.poll(PAUSE_S):
                commands.recv()
                commands.send(took_ms)
                took_ms = []
