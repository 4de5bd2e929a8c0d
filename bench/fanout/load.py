"""The load generator's process, seen from outside: what it is told, and what it says that the clients got."""

import contextlib
import dataclasses
import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from bench.receipts import Faults

HOST = "127.0.0.1"
# Clients per source address; there are 28 000 ephemeral ports.
CLIENTS_PER_ADDRESS = 20_000
STOP_WITHIN_S = 10.0


class LoadError(Exception):
    """The load generator has ended; ``str()`` says what it met."""


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """
    How clients connect.

    Attributes:
        path: Of the endpoint, with its query.
        offers_deflate: Whether they offer compression, as browsers do.
        speaks_socketio: Whether the Socket.IO handshake follows the WebSocket's.
    """

    path: str = "/ws"
    offers_deflate: bool = False
    speaks_socketio: bool = False

    @property
    def options(self) -> list[str]:
        """The load generator's."""
        return ["--deflate"] * self.offers_deflate + ["--socketio"] * self.speaks_socketio


@dataclasses.dataclass(frozen=True, slots=True)
class Receipts:
    """
    What all clients got of a range of events.

    Attributes:
        events: How many were published.
        receipts: How often a client got one of them for the first time.
        faults: How far that is from "every event, in order, exactly once".
        different: Pieces of frames that were not the bytes that others got of the same event.
        closed: Connections that ended.
        bytes: Received in all: payloads of frames, as they were on the wire.
        p50_ns, p99_ns: Over all receipts, from when the event was published.
        last_ns: When the last client got each event (CLOCK_MONOTONIC).
    """

    events: int
    receipts: int
    faults: Faults
    different: int
    closed: int
    bytes: int
    p50_ns: int
    p99_ns: int
    last_ns: tuple[int, ...]

    @property
    def is_faithful(self) -> bool:
        """Whether every client got every event, in order, exactly once, and all the same bytes."""
        return not (self.faults or self.different or self.closed)


def receipts_of(line: str) -> Receipts:
    """Read the load generator's report."""
    fields = json.loads(line)
    faults = Faults(**{field.name: fields.pop(field.name) for field in dataclasses.fields(Faults)})
    return Receipts(**{**fields, "last_ns": tuple(fields["last_ns"])}, faults=faults)


class Load:
    """The clients of one server; see native/load.c for what each command does."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.pid = process.pid

    def connect(self, count: int) -> int:
        """Connect more clients; gives with how many compression was agreed so far."""
        return int(self._ask(f"connect {count}").rpartition(" ")[2])

    def stall(self, count: int) -> None:
        """Connect more clients that then never read."""
        self._ask(f"stall {count}")

    def settle(self, quiet_ms: int) -> None:
        """Read until nothing has come for so long."""
        self._ask(f"settle {quiet_ms}")

    def expect(self, first: int, count: int) -> None:
        """Begin to count: events are ``first`` and at most ``count - 1`` after it."""
        self._ask(f"expect {first} {count}")

    def await_everywhere(self, number: int, patience_s: int) -> bool:
        """Wait until every client has event ``number``, or nothing has come for so long: then it is false."""
        return self._ask(f"await {number} {patience_s}").startswith("everywhere")

    def report(self, began_ns: Sequence[int]) -> Receipts:
        """Sum up; ``began_ns`` says when each event was published."""
        return receipts_of(self._ask(f"report {' '.join(map(str, began_ns))}"))

    def _ask(self, command: str) -> str:
        with contextlib.suppress(BrokenPipeError):
            _stream(self._process.stdin).write(command + "\n")
            _stream(self._process.stdin).flush()
        answer = _stream(self._process.stdout).readline()
        if not answer:
            raise LoadError(_stream(self._process.stderr).read().strip() or "the load generator was ended")
        return answer.rstrip("\n")


@contextlib.contextmanager
def running_load(program: Path, port: int, way: Way, most_clients: int) -> Iterator[Load]:
    """Run the load generator until the end of the block; the clients go with it."""
    addresses = 1 + most_clients // CLIENTS_PER_ADDRESS
    command = [str(program), HOST, str(port), way.path, *way.options, "--addresses", str(addresses)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield Load(process)
        finally:
            process.kill()
            process.wait(STOP_WITHIN_S)


def _stream(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
