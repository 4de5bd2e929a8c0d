"""
Clients that read as fast as they can and keep nothing, in one process: WebSockets, and HTTP clients.

When the first WebSocket hears of a change, the HTTP clients ask for ``/audit``, all at once.
"""

import contextlib
import multiprocessing
import select
import socket
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from bench.clients import HANDSHAKE, HOST, TEXT, ClientError

OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
REQUEST = "GET /audit HTTP/1.1\r\nHost: {host}:{port}\r\nAccept-Encoding: {accepted}\r\n\r\n"
# What clients accept, in turn: two browsers, an older client, and a script.
ACCEPTED = ("gzip, deflate, br, zstd", "gzip, deflate, br, zstd", "gzip, deflate", "identity")
WITHIN_S = 120.0
POLL_S = 0.05
BUFFER = bytearray(1024 * 1024)
# No message begins with a longer head, nor is shorter than a frame's.
HEAD_BYTES, FRAME_HEAD_BYTES = 4096, 10


class Received(NamedTuple):
    """How long it took until every client had a change, in seconds, and how many bytes that were."""

    websocket_s: float
    http_s: float
    megabytes: float


class Sink:
    """One client; ``messages`` counts the whole ones that came."""

    def __init__(self, port: int) -> None:
        self.messages = 0
        self.bytes = 0
        self.port = port
        self.socket = socket.create_connection((HOST, port), timeout=WITHIN_S)
        self._head = b""
        self._left = 0

    def read(self) -> None:
        """Take what has come."""
        size = self.socket.recv_into(BUFFER)
        if not size:
            raise ClientError("the server closed a connection")
        self.bytes += size
        self._take(memoryview(BUFFER)[:size])

    def _take(self, received: memoryview) -> None:
        while received:
            if not self._left:
                known = len(self._head)
                self._head += bytes(received[:HEAD_BYTES])
                size = self._measure(self._head)
                if size is None:
                    return
                self._left, self._head = size - known, b""
            used = min(self._left, len(received))
            self._left -= used
            self.messages += not self._left
            received = received[used:]

    def _measure(self, head: bytes) -> int | None:
        raise NotImplementedError


class WebSocketSink(Sink):
    """Offers to inflate, as browsers do."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.socket.sendall((HANDSHAKE.format(host=HOST, port=port)[:-2] + OFFER).encode())
        answer, piece = b"", b"-"
        while piece and not answer.endswith(b"\r\n\r\n"):
            piece = self.socket.recv(1)
            answer += piece
        if not answer.startswith(b"HTTP/1.1 101 "):
            self.socket.close()
            raise ClientError(f"the upgrade was refused: {answer!r}")

    def _measure(self, head: bytes) -> int | None:
        """Give the size of the frame that begins with ``head`` (RFC 6455, 5.2)."""
        if len(head) < FRAME_HEAD_BYTES:
            return None
        if head[0] & 0x0F != TEXT:
            raise ClientError(f"a frame of opcode {head[0] & 0x0F} came")
        start = {126: 4, 127: 10}.get(head[1], 2)
        return start + (head[1] if start == 2 else int.from_bytes(head[2:start]))


class HttpSink(Sink):
    """Asks when it is told to."""

    def ask(self, accepted: str) -> None:
        """Ask for the report."""
        self.socket.sendall(REQUEST.format(host=HOST, port=self.port, accepted=accepted).encode())

    def _measure(self, head: bytes) -> int | None:
        end = head.find(b"\r\n\r\n")
        if end < 0:
            return None
        if not head.startswith(b"HTTP/1.1 200 "):
            raise ClientError(f"the report was refused: {head[:end]!r}")
        fields = dict(line.lower().split(b": ", 1) for line in head[:end].split(b"\r\n")[1:])
        return end + 4 + int(fields[b"content-length"])


class Sinks:
    """The process of the clients, seen from outside."""

    def __init__(self, commands: "Connection[Any, Any]") -> None:
        self._commands = commands

    def receive(self, publish: Callable[[bytes], None], report: bytes) -> Received:
        """Publish ``report`` and wait until every client has it."""
        self._commands.send(None)
        publish(report)
        return self.wait()

    def wait(self) -> Received:
        """Wait until every client has what it waits for."""
        try:
            answer: Received = self._commands.recv()
        except EOFError as exc:
            raise ClientError("the clients' process has ended; its own error says why") from exc
        return answer


@contextlib.contextmanager
def connected_sinks(port: int, websockets: int, https: int) -> Iterator[Sinks]:
    """Connect the clients for the length of the block; every WebSocket has had its first report."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_run, args=(port, websockets, https, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        sinks = Sinks(ours)
        sinks.wait()
        yield sinks
    finally:
        ours.close()
        process.join(10)
        process.kill()


def _run(port: int, websockets: int, https: int, commands: "Connection[Any, Any]") -> None:
    with contextlib.closing(Crowd(port, websockets)) as crowd, contextlib.suppress(EOFError, KeyboardInterrupt):
        commands.send(crowd.receive(0))
        while True:
            commands.recv()
            commands.send(crowd.receive(https))


class Crowd:
    """All clients; those over HTTP come for one answer each."""

    def __init__(self, port: int, websockets: int) -> None:
        self._port = port
        self._poll = select.epoll()
        self._by_descriptor: dict[int, Sink] = {}
        self._ws = [self._add(WebSocketSink(port)) for _ in range(websockets)]

    def receive(self, https: int) -> Received:
        """Read until every WebSocket has one message more, and ``https`` clients that came meanwhile an answer."""
        began_s, bytes_before = time.monotonic(), sum(sink.bytes for sink in self._ws)
        goal, http = self._ws[0].messages + 1, list[Sink]()
        ws_s = http_s = 0.0
        while not ws_s or (https and not http_s):
            elapsed_s = self._read(began_s)
            if len(http) < https and any(sink.messages >= goal for sink in self._ws):
                http = [self._ask(number) for number in range(https)]
            ws_s = ws_s or all(sink.messages >= goal for sink in self._ws) * elapsed_s
            http_s = http_s or (bool(http) and all(sink.messages for sink in http)) * elapsed_s
        total = sum(sink.bytes for sink in [*self._ws, *http]) - bytes_before
        return Received(ws_s, http_s, total / 1e6)

    def close(self) -> None:
        """Leave."""
        for sink in self._by_descriptor.values():
            sink.socket.close()
        self._poll.close()

    def _read(self, began_s: float) -> float:
        for descriptor, _ in self._poll.poll(POLL_S):
            sink = self._by_descriptor[descriptor]
            sink.read()
            if isinstance(sink, HttpSink) and sink.messages:
                del self._by_descriptor[descriptor]
                sink.socket.close()  # which takes it from the poll, too
        elapsed_s = time.monotonic() - began_s
        if elapsed_s > WITHIN_S:
            raise ClientError(f"a change did not reach every client within {WITHIN_S:g} s")
        return elapsed_s

    def _ask(self, number: int) -> Sink:
        sink = HttpSink(self._port)
        sink.ask(ACCEPTED[number % len(ACCEPTED)])
        return self._add(sink)

    def _add(self, sink: Sink) -> Sink:
        self._by_descriptor[sink.socket.fileno()] = sink
        self._poll.register(sink.socket, select.EPOLLIN)
        return sink
