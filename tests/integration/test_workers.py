"""A gateway of several workers: real processes behind one port, that tell the truth for all of them."""

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from tests.support.commands import is_ready, receive, run, running, wait_ready
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer
from tests.support.reports import audit, audit_bytes
from tests.support.running import ADMIN_TOKEN
from tests.support.wait import wait_until

ADMIN = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
# So many connections that all of them fall to one of two workers once in 2**23 runs.
CLIENTS = 24
# Each on a connection of its own, so that both workers are asked.
QUESTIONS = 12


class Gateway:
    """A gateway of workers that runs; each request is on a fresh connection."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process = process
        self.port = port

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}/{path}", headers=ADMIN)

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.get("api/ws/status").json()
        return answer

    def connect(self) -> ClientConnection:
        return connect(f"ws://127.0.0.1:{self.port}/ws")

    def connect_all(self, stack: contextlib.ExitStack) -> list[ClientConnection]:
        """Connect CLIENTS clients that have got their first frame, to the end of the stack."""
        clients = [stack.enter_context(self.connect()) for _ in range(CLIENTS)]
        for client in clients:
            client.recv(timeout=10)
        return clients

    def workers(self) -> list[int]:
        """Give the processes of those that run."""
        return children(self.process.pid)


def children(pid: int) -> list[int]:
    """Give the child processes that have not ended."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found if is_alive(int(child))]


def is_alive(pid: int) -> bool:
    """Tell whether a process has not ended, be it waited for or not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextlib.contextmanager
def gateway(redis_server: RedisServer, workers: int = 2, **settings: str) -> Iterator[Gateway]:
    """Run one to the end of the block; it has to end with 0 and leave no process behind."""
    port = free_port()
    chosen = {
        "REDIS_URL": redis_server.url,
        "GATEWAY_PORT": str(port),
        "GATEWAY_WORKERS": str(workers),
        "GATEWAY_ADMIN_TOKEN": ADMIN_TOKEN,
        "GATEWAY_DRAIN_S": "0",
        **settings,
    }
    with running("reportcast-gateway", **chosen) as process:
        wait_ready(port)
        started = Gateway(process, port)
        wait_until("all answer", lambda: started.status()["workers"] == {"asked": workers, "answered": workers})
        yield started
        ended = started.workers() if process.poll() is None else []
    assert [pid for pid in ended if is_alive(pid)] == []


def number_of(metrics: str, name: str) -> float:
    """Read a sample by its name, and its labels if it has any."""
    return next(float(line.split()[1]) for line in metrics.splitlines() if line.startswith(f"{name} "))


def test_whichever_worker_is_asked_tells_of_all(redis_server: RedisServer, tmp_path: Path) -> None:
    """Both serve clients; status, clients, metrics and trigger-update count those of both."""
    report = tmp_path / "GitRepoReport.json"
    report.write_bytes(audit_bytes(1))
    watcher_port = free_port()
    watching = {"REDIS_URL": redis_server.url, "REPORT_FILE": str(report), "WATCHER_PORT": str(watcher_port)}
    with (
        running("reportcast-watcher", **watching),
        gateway(redis_server) as both,
        contextlib.ExitStack() as stack,
    ):
        wait_until("all have the report", lambda: all(both.status()["report"] for _ in range(QUESTIONS)))
        clients = both.connect_all(stack)

        lists = [both.get("api/ws/clients").json() for _ in range(QUESTIONS)]
        statuses = [both.status() for _ in range(QUESTIONS)]
        metrics = [both.get("metrics").text for _ in range(QUESTIONS)]
        triggered = httpx.post(f"http://127.0.0.1:{both.port}/api/ws/trigger-update", headers=ADMIN).json()
        report.write_bytes(audit_bytes(2))
        assert all(audit(2) in map(receive, itertools.repeat(client)) for client in clients)
        traces = [both.get("api/trace").json()["changes"] for _ in range(QUESTIONS)]

    assert {each["worker"] for each in lists[0]["clients"]} == {0, 1}
    names = [{(client["worker"], client["id"]) for client in each["clients"]} for each in lists]
    assert len(names[0]) == CLIENTS
    assert all(each == names[0] for each in names)
    assert {each["count"] for each in lists} == {each["clients"] for each in statuses} == {CLIENTS}
    assert {each["status"] for each in statuses} == {"healthy"}
    by_transport = '{transport="websocket"}'
    for name in (f"connections{by_transport}", f"opened_total{by_transport}", "frames_sent_total"):
        assert {number_of(each, f"reportcast_gateway_{name}") for each in metrics} == {CLIENTS}, name
    assert {number_of(each, "reportcast_gateway_workers") for each in metrics} == {2}
    assert triggered["clients"] == CLIENTS
    assert {(len(each), each[0]["clients"]) for each in traces} == {(1, CLIENTS)}


def test_a_worker_that_hangs_is_reported_and_one_that_is_killed_is_replaced(redis_server: RedisServer) -> None:
    """The others serve on; the clients of the dead one can come back at once."""
    with gateway(redis_server) as both, contextlib.ExitStack() as stack:
        clients = both.connect_all(stack)
        before = both.workers()
        with hanging(before[1]):
            statuses = [json.loads(answer) for answer in answers_of_the_working(both.port, "api/ws/status")]
            metrics = answers_of_the_working(both.port, "metrics")
        wait_until("another takes its place", lambda: len(both.workers()) == 2 and both.workers() != before)
        after = wait_until("it answers", lambda: (now := both.status())["workers"]["answered"] == 2 and now)
        fresh = [stack.enter_context(both.connect()) for _ in range(CLIENTS)]
        for client in fresh:
            client.recv(timeout=10)
        listed = both.get("api/ws/clients").json()["clients"]

    assert {each["status"] for each in statuses} == {"degraded"}
    assert all(each["workers"] == {"asked": 2, "answered": 1} for each in statuses)
    assert all("1 of 2 workers did not answer; what they do is not told" in each["reasons"] for each in statuses)
    assert {each["clients"] for each in statuses} == {after["clients"]}
    assert {number_of(each, "reportcast_gateway_workers") for each in metrics} == {1}
    assert {number_of(each, 'reportcast_gateway_connections{transport="websocket"}') for each in metrics} == {
        after["clients"]
    }
    assert 0 < after["clients"] < len(clients)
    assert {each["worker"] for each in listed} == {0, 1}
    assert len(listed) == after["clients"] + CLIENTS


@contextlib.contextmanager
def hanging(pid: int) -> Iterator[None]:
    """Let a process hang for the length of the block, then kill it."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)


def answers_of_the_working(port: int, path: str) -> list[str]:
    """Ask QUESTIONS times at once; those that fall to a worker that hangs are not answered in time."""

    def ask(_: int) -> str | None:
        with contextlib.suppress(httpx.TimeoutException):
            return httpx.get(f"http://127.0.0.1:{port}/{path}", timeout=4).text
        return None

    with ThreadPoolExecutor(QUESTIONS) as threads:
        found = [answer for answer in threads.map(ask, range(QUESTIONS)) if answer is not None]
    assert found
    return found


def test_a_worker_without_the_broker_shows_whichever_is_asked(redis_server: RedisServer) -> None:
    """What it serves may be stale, so all of it may be."""
    with gateway(redis_server) as both:
        redis_server.stop()
        lost = [
            wait_until("all tell it", lambda: (now := both.status())["stale"] and now, timeout_s=15)
            for _ in range(QUESTIONS)
        ]
        redis_server.start()
        wait_until("all are back", lambda: not both.status()["stale"], timeout_s=15)

    assert {each["broker"]["connected"] for each in lost} == {False}
    assert all("the broker is not connected" in each["reasons"][0] for each in lost)


@pytest.mark.parametrize("group", [False, True], ids=["to-the-gateway", "to-the-whole-group"])
def test_a_signal_ends_all_workers(redis_server: RedisServer, group: bool) -> None:
    """With 0, clients or not, nothing left; as a terminal or systemd sends it, too: to each process."""
    with gateway(redis_server, workers=3) as three, contextlib.ExitStack() as stack:
        three.connect_all(stack)
        workers = three.workers()
        for pid in workers if group else []:
            os.kill(pid, signal.SIGINT)
        three.process.send_signal(signal.SIGINT)

        assert three.process.wait(timeout=15) == 0
        assert [pid for pid in workers if is_alive(pid)] == []
        assert not is_ready(three.port)


def test_a_second_signal_ends_all_workers_at_once(redis_server: RedisServer) -> None:
    """Whatever they still wait for."""
    with gateway(redis_server) as both, contextlib.ExitStack() as stack:
        workers = both.workers()
        for _ in range(CLIENTS):
            # A request without an end keeps the graceful shutdown waiting.
            busy = stack.enter_context(socket.create_connection(("127.0.0.1", both.port)))
            busy.sendall(b"POST /api/ws/trigger-update HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
        both.process.terminate()
        wait_until("the port is closed", lambda: not is_ready(both.port))
        both.process.terminate()

        assert both.process.wait(timeout=2) == 128 + signal.SIGTERM
        assert [pid for pid in workers if is_alive(pid)] == []


def test_the_workers_end_with_a_gateway_that_is_killed(redis_server: RedisServer) -> None:
    """Nobody is left on the port."""
    with gateway(redis_server) as both, contextlib.ExitStack() as stack:
        both.connect_all(stack)
        workers = both.workers()
        both.process.kill()
        both.process.wait()

        wait_until("the workers have ended", lambda: not any(map(is_alive, workers)), timeout_s=15)
        assert not is_ready(both.port)


def test_the_log_says_which_worker(redis_server: RedisServer, capfd: pytest.CaptureFixture[str]) -> None:
    """In every line of a worker; the supervisor's own have none."""
    with gateway(redis_server, LOG_FORMAT="json") as both, contextlib.ExitStack() as stack:
        both.connect_all(stack)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]

    assert {line["worker"] for line in lines if line["event"] == "connection opened"} == {0, 1}
    assert [line["workers"] for line in lines if line["event"] == "listening"] == [2]


@pytest.mark.parametrize("workers", ["0", "65", "many"])
def test_a_number_of_workers_that_cannot_be(workers: str) -> None:
    """Gets one clear line and exit code 2."""
    done = run("reportcast-gateway", GATEWAY_WORKERS=workers)

    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1)
    assert f"GATEWAY_WORKERS is '{workers}'" in done.stderr


@pytest.mark.parametrize("shared", [False, True], ids=["alone", "that-lets-others-join"])
def test_a_port_in_use_with_workers(shared: bool) -> None:
    """Gets one clear line and exit code 2, also where the kernel would let the workers join another server."""
    with socket.create_server(("127.0.0.1", 0), reuse_port=shared) as taken:
        port = taken.getsockname()[1]
        done = run("reportcast-gateway", GATEWAY_WORKERS="2", GATEWAY_PORT=str(port))

    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1)
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in done.stderr
