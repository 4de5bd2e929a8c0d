"""
Many WebSocket clients in one process, light enough not to be what is measured.

They speak just enough of RFC 6455 on plain sockets and one epoll: a frame costs a client one ``recv``, one look at the
clock and a search in its first bytes; what it holds is not parsed. They offer no compression.
"""

import contextlib
import dataclasses
import gc
import multiprocessing
import re
import select
import socket
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

from bench.receipts import Receipt

HOST = "127.0.0.1"
HANDSHAKE = (
    "GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\nUser-Agent: bench\r\n\r\n"
)
TEXT, CLOSE, PING = 0x1, 0x8, 0x9
FINAL = 0x80
# A frame that holds a ping's answer, masked with zeros.
PONG = b"\x8a\x80\0\0\0\0"
CHANGE = re.compile(rb'"change":(\d+)')
# The number is the report's first field, so it stands in the frame's first bytes.
CHANGE_WITHIN = 128
# All clients read into this one: a buffer of its own for each read would cost more than the read.
BUFFER = bytearray(1024 * 1024)
IDLE_S = 0.02
CONNECT_WITHIN_S = 30.0


class ClientError(Exception):
    """A client met what no client should; ``str()`` says what."""


class FrameReader:
    """Cuts a server's byte stream into frames."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, received: bytes) -> Iterator[tuple[int, bytes]]:
        """Give the opcode and payload of each frame that ``received`` completes."""
        buffer = self._buffer + received if self._buffer else received
        while (span := _span(buffer)) and len(buffer) >= span[1]:
            start, end = span
            if not buffer[0] & FINAL:
                raise ClientError("a fragmented frame came; whole ones are expected")
            yield buffer[0] & 0x0F, buffer[start:end]
            buffer = buffer[end:]
        self._buffer = buffer


def _span(buffer: bytes) -> tuple[int, int] | None:
    """Tell where the first frame's payload starts and ends; ``None`` until its header is whole (5.2)."""
    if len(buffer) < 2:
        return None
    start = {126: 4, 127: 10}.get(buffer[1], 2)
    if len(buffer) < start:
        return None
    size = buffer[1] if start == 2 else int.from_bytes(buffer[2:start])
    return start, start + size


def change_of(payload: bytes) -> int:
    """Give the number of the change that a frame carries."""
    found = CHANGE.search(payload, 0, CHANGE_WITHIN)
    if found is None:
        raise ClientError(f"a frame without a change came: {payload[:CHANGE_WITHIN]!r}")
    return int(found[1])


class Client:
    """One connected client."""

    def __init__(self, port: int) -> None:
        self.receipts: list[Receipt] = []
        self.socket = socket.create_connection((HOST, port), timeout=CONNECT_WITHIN_S)
        self._frames = FrameReader()
        self.socket.sendall(HANDSHAKE.format(host=HOST, port=port).encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = self.socket.recv(len(BUFFER))
            if not piece:
                raise ClientError(f"the gateway ended the handshake with {answer!r}")
            answer += piece
        head, _, rest = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):
            raise ClientError(f"the gateway refused the upgrade: {head!r}")
        self.socket.setblocking(False)
        self._take(rest)

    @property
    def newest(self) -> int:
        """Number of the last change received; 0 before the first."""
        return self.receipts[-1][0] if self.receipts else 0

    def read(self) -> None:
        """Take what has come."""
        size = self.socket.recv_into(BUFFER)
        if not size:
            raise ClientError("the gateway closed a connection")
        self._take(bytes(memoryview(BUFFER)[:size]))

    def _take(self, received: bytes) -> None:
        now_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        for opcode, payload in self._frames.feed(received):
            if opcode == TEXT:
                self.receipts.append((change_of(payload), now_ns))
            elif opcode == PING:
                self.socket.send(PONG)
            else:
                raise ClientError(f"a frame of opcode {opcode} came: {payload!r}")


@dataclasses.dataclass(frozen=True)
class LoadClients:
    """The process of the clients, seen from outside."""

    commands: "Connection[Any, Any]"

    def wait_for(self, change: int, timeout_s: float) -> float:
        """
        Wait until every client has ``change``, or none has got anything for ``timeout_s``.

        Returns:
            Seconds of CPU time that the process has used so far.
        """
        used_s: float = self._ask((change, timeout_s))
        return used_s

    def receipts(self) -> list[list[Receipt]]:
        """Give what each client received, in that order; ends the clients."""
        received: list[list[Receipt]] = self._ask(None)
        return received

    def _ask(self, command: tuple[int, float] | None) -> Any:
        try:
            self.commands.send(command)
            return self.commands.recv()
        except (EOFError, ConnectionError) as exc:
            raise ClientError("the clients' process has ended; its own error says why") from exc


@contextlib.contextmanager
def load_clients(port: int, count: int) -> Iterator[LoadClients]:
    """Connect ``count`` clients in a process of their own, for the length of the block."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_run, args=(port, count, theirs), daemon=True)
    process.start()
    theirs.close()  # so that recv() ends when the process does
    try:
        ours.recv()
        yield LoadClients(ours)
    finally:
        ours.close()
        process.join(10)
        process.kill()


def _run(port: int, count: int, commands: "Connection[Any, Any]") -> None:
    clients = [Client(port) for _ in range(count)]
    commands.send("connected")
    # A collection would stop all clients for some ms, and nothing here makes cycles.
    gc.disable()
    with contextlib.suppress(EOFError, KeyboardInterrupt):  # the benchmark has ended
        while (command := _read_until_command(clients, commands)) is not None:
            _read_until_received(clients, *command)
            commands.send(time.process_time())
        commands.send([client.receipts for client in clients])
        commands.recv()


def _read_until_command(clients: list[Client], commands: "Connection[Any, Any]") -> tuple[int, float] | None:
    with select.epoll() as poll:
        by_descriptor = _register(poll, clients)
        poll.register(commands.fileno(), select.EPOLLIN)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == commands.fileno():
                    command: tuple[int, float] | None = commands.recv()
                    return command
                by_descriptor[descriptor].read()


def _read_until_received(clients: list[Client], change: int, timeout_s: float) -> None:
    with select.epoll() as poll:
        by_descriptor = _register(poll, clients)
        idle_since_s = time.monotonic()
        while time.monotonic() - idle_since_s < timeout_s:
            events = poll.poll(IDLE_S)
            for descriptor, _ in events:
                by_descriptor[descriptor].read()
            if events:
                idle_since_s = time.monotonic()
            elif all(client.newest >= change for client in clients):
                return


def _register(poll: select.epoll, clients: list[Client]) -> dict[int, Client]:
    for client in clients:
        poll.register(client.socket.fileno(), select.EPOLLIN)
    return {client.socket.fileno(): client for client in clients}
