"""The commands as people run them: separate processes, signals, exit codes, one-line errors."""

import signal
import socket
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tests.support.commands import is_ready, receive, run, running, wait_ready
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer
from tests.support.reports import audit, audit_bytes
from tests.support.wait import wait_until


def test_a_watcher_and_two_gateways(redis_server: RedisServer, tmp_path: Path) -> None:
    """A change reaches the clients of both; killing one gateway does not disturb the other."""
    report = tmp_path / "GitRepoReport.json"
    report.write_bytes(audit_bytes(1))
    ports = [free_port(), free_port(), free_port()]
    url = redis_server.url
    with (
        running("reportcast-watcher", REDIS_URL=url, REPORT_FILE=str(report), WATCHER_PORT=str(ports[0])),
        running("reportcast-gateway", REDIS_URL=url, GATEWAY_PORT=str(ports[1])) as doomed,
        running("reportcast-gateway", REDIS_URL=url, GATEWAY_PORT=str(ports[2])),
    ):
        for port in ports:
            wait_ready(port)
        with (
            connect(f"ws://127.0.0.1:{ports[1]}/ws") as first,
            connect(f"ws://127.0.0.1:{ports[2]}/ws") as second,
        ):
            assert receive(first) == receive(second) == audit(1)
            report.write_bytes(audit_bytes(2))
            assert receive(first) == receive(second) == audit(2)

            doomed.kill()
            doomed.wait()
            report.write_bytes(audit_bytes(3))

            assert receive(second) == audit(3)
        metrics = httpx.get(f"http://127.0.0.1:{ports[0]}/metrics").text
        assert 'reportcast_watcher_published_total{channel="audit"} 3.0' in metrics


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_reportcast_up(tmp_path: Path, number: signal.Signals) -> None:
    """One process, no Redis: shows a report, follows it, answers a trigger, and ends with 0 with a client on it."""
    report = tmp_path / "GitRepoReport.json"
    report.write_bytes(audit_bytes(1))
    port = free_port()
    with running("reportcast", "up", REPORT_FILE=str(report), GATEWAY_PORT=str(port)) as process:
        wait_ready(port)
        with connect(f"ws://127.0.0.1:{port}/ws") as client:
            assert receive(client) == audit(1)
            report.write_bytes(audit_bytes(2))
            assert receive(client) == audit(2)
            triggered = httpx.post(f"http://127.0.0.1:{port}/api/ws/trigger-update")
            assert triggered.json()["message"] == "Update triggered"
            assert receive(client) == audit(2)
            assert httpx.get(f"http://127.0.0.1:{port}/audit").json() == audit(2)

            process.send_signal(number)

            assert process.wait(timeout=15) == 0


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    """Whatever the first one still waits for."""
    port = free_port()
    with running("reportcast", "up", REPORT_FILE=str(tmp_path / "r.json"), GATEWAY_PORT=str(port)) as process:
        wait_ready(port)
        with socket.create_connection(("127.0.0.1", port)) as busy:
            # A request without an end keeps the graceful shutdown waiting.
            busy.sendall(b"POST /api/ws/trigger-update HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
            process.terminate()
            wait_until("the port is closed", lambda: not is_ready(port))
            process.terminate()

            # -SIGTERM: it had ended already, but for the interpreter.
            assert process.wait(timeout=2) in (0, 128 + signal.SIGTERM, -signal.SIGTERM)


COMMANDS = [("reportcast-watcher",), ("reportcast-gateway",), ("reportcast", "up")]
NAMES = ["watcher", "gateway", "up"]


@pytest.mark.parametrize("command", COMMANDS, ids=NAMES)
def test_help_lists_the_settings(command: tuple[str, ...]) -> None:
    """With defaults and meaning."""
    done = run(*command, "--help")

    assert done.returncode == 0
    assert "LOG_LEVEL" in done.stdout
    assert "[info]" in done.stdout


@pytest.mark.parametrize(
    ("command", "settings", "words"),
    [
        pytest.param(COMMANDS[1], {"GATEWAY_PROT": "1"}, "GATEWAY_PROT is not a setting", id="unknown"),
        pytest.param(COMMANDS[0], {"REPORT_FLIE": "x"}, "REPORT_FLIE is not a setting", id="unknown-of-watcher"),
        pytest.param(COMMANDS[2], {"GATEWAY_PORT": "http"}, "GATEWAY_PORT is 'http'", id="no-number"),
        pytest.param(
            COMMANDS[1], {"REDIS_URL": "localhost:6379"}, "expected redis://user:password@host:port/db", id="bad-url"
        ),
        pytest.param(COMMANDS[0], {"REDIS_URL": "rediss://h/0?foo=bar"}, "only these are allowed", id="url-option"),
        pytest.param(
            COMMANDS[0], {"REDIS_URL": "redis://h:port"}, "expected redis://user:password@host:port/db", id="bad-port"
        ),
        pytest.param(COMMANDS[1], {"GATEWAY_ALLOWED_ORIGINS": "a.example"}, "'a.example' is no origin", id="origin"),
        pytest.param(COMMANDS[1], {"GATEWAY_CHANNELS": "a,b c"}, "channel 'b c' is no name", id="channel"),
        pytest.param(COMMANDS[1], {"GATEWAY_CHANNELS": "a,_canary"}, "'_canary' is the self-probe's own", id="canary"),
        pytest.param(COMMANDS[2], {"LOG_LEVEL": "loud"}, "LOG_LEVEL is 'loud'", id="log-level"),
        pytest.param(COMMANDS[1], {"GATEWAY_ADMIN_TOKEN_FILE": "/none"}, "No such file", id="secret-file"),
        pytest.param(COMMANDS[1], {"GATEWAY_HOST": "192.0.2.1"}, "cannot listen on 192.0.2.1", id="foreign-address"),
        pytest.param((*COMMANDS[0], "--verbose"), {}, "unrecognized arguments: --verbose", id="argument"),
        pytest.param(("reportcast", "dance"), {}, "no such command 'dance'; --help", id="command"),
        pytest.param(("reportcast",), {}, "reportcast: missing command; --help", id="no-command"),
        pytest.param(("reportcast", "up", "--verbose"), {}, "reportcast up: no such option: --verbose", id="up-option"),
    ],
)
def test_a_wrong_setting(command: tuple[str, ...], settings: dict[str, str], words: str) -> None:
    """Gets one clear line and exit code 2."""
    done = run(*command, **settings)

    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


PORTS = ["WATCHER_PORT", "GATEWAY_PORT", "GATEWAY_PORT"]


@pytest.mark.parametrize(("command", "setting"), list(zip(COMMANDS, PORTS, strict=True)), ids=NAMES)
def test_a_port_in_use(command: tuple[str, ...], setting: str) -> None:
    """Gets one clear line and exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(*command, **{setting: str(port)})

    assert (done.returncode, len(done.stderr.strip().splitlines())) == (2, 1)
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in done.stderr
