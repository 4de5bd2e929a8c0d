"""A server that is measured: its process on a core of its own, and the way events get to it."""

import contextlib
import dataclasses
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.fanout.cores import running_on
from bench.fanout.load import HOST, Way
from bench.fanout.publishers import CHANNEL, Publisher, RedisPublisher, WebSocketPublisher
from bench.fanout.usage import Memory, family_cpu_s, family_memory
from bench.services import running_service
from tests.support.ports import free_port
from tests.support.redis_server import redis_process
from tests.support.wait import wait_until

START_WITHIN_S = 20.0
# A server whose broadcast is stopped by a client does not end in good order.
STOP_WITHIN_S = 3.0


@dataclasses.dataclass(frozen=True, slots=True)
class Server:
    """
    One that runs.

    Attributes:
        pid: Of its first process.
        port: Where clients connect.
        way: How they do.
        publisher: How events get to it.
    """

    pid: int
    port: int
    way: Way
    publisher: Publisher

    def cpu_s(self) -> float:
        """Give the CPU time used so far."""
        return family_cpu_s(self.pid)

    def memory(self) -> Memory:
        """Give what is in memory now."""
        return family_memory(self.pid)


@dataclasses.dataclass(frozen=True, slots=True)
class Endpoints:
    """
    Where a peer's program takes clients and events.

    Attributes:
        way: Of clients; whether they offer compression is decided for each start.
        publish_path: Of the publisher.
        around: What stands before and after each event on its way in.
    """

    way: Way
    publish_path: str = "/publish"
    around: tuple[bytes, bytes] = (b"", b"")

    def publisher(self, port: int) -> WebSocketPublisher:
        """Connect one."""
        return WebSocketPublisher(port, self.publish_path, self.around, self.way.speaks_socketio)


PLAIN = Endpoints(Way())
_SOCKETIO = "/socket.io/?EIO=4&transport=websocket"
SOCKETIO = Endpoints(Way(_SOCKETIO, speaks_socketio=True), _SOCKETIO, (b'42["publish",', b"]"))

# Gives the command that runs a program on a port; the folder is for its files, the last says whether to compress.
Command = Callable[[int, Path, bool], Sequence[str]]


@contextlib.contextmanager
def running_program(
    command: Command, endpoints: Endpoints, folder: Path, cores: set[int], offers_deflate: bool
) -> Iterator[Server]:
    """Run a peer's program on its cores until the end of the block."""
    port, log = free_port(), folder / "server.log"
    with running_on(cores), log.open("wb") as output:
        process = subprocess.Popen(command(port, folder, offers_deflate), stdout=output, stderr=output, cwd=folder)
    try:
        wait_until("the server listens", lambda: _listens(process, log, port), START_WITHIN_S)
        with contextlib.closing(endpoints.publisher(port)) as publisher:
            way = dataclasses.replace(endpoints.way, offers_deflate=offers_deflate)
            yield Server(process.pid, port, way, publisher)
    finally:
        _end(process)


@contextlib.contextmanager
def running_gateway(folder: Path, cores: set[int], offers_deflate: bool) -> Iterator[Server]:
    """Run Redis, and the gateway on its cores, until the end of the block."""
    port = free_port()
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(redis_process()).url
        settings = {"REDIS_URL": url, "GATEWAY_PORT": str(port), "GATEWAY_CHANNELS": CHANNEL}
        with running_on(cores):
            service = running_service("reportcast-gateway", settings, folder, port, "/readyz")
            pid = stack.enter_context(service)
        publisher = stack.enter_context(contextlib.closing(RedisPublisher(url)))
        yield Server(pid, port, Way(f"/ws?channel={CHANNEL}", offers_deflate), publisher)


def _listens(process: "subprocess.Popen[bytes]", log: Path, port: int) -> bool:
    assert process.poll() is None, f"it ended at once: {log.read_text()[-400:]}"
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
