"""Clients of every transport on plain sockets, in a process of their own: what they hold is not parsed."""

import contextlib
import multiprocessing
import re
import select
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any

HOST = "127.0.0.1"
POSITION = re.compile(rb'"epoch":"([0-9a-f]{16})","offset":(\d+)')
WITHIN_S = 60.0
READ_BYTES = 1024 * 1024
HEADERS = f"Host: {HOST}\r\nUser-Agent: bench\r\n\r\n"
REQUESTS = {
    "websocket": (
        "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: reportcast.v1\r\n"
    ),
    "events": "GET /events HTTP/1.1\r\n",
    "poll": "GET /audit?since= HTTP/1.1\r\n",
}


class Client:
    """One client; ``since`` is where it stands."""

    def __init__(self, port: int, transport: str) -> None:
        self.transport = transport
        self.since = ""
        self.at_ns = 0
        self.socket = socket.create_connection((HOST, port), timeout=WITHIN_S)
        self.ask(REQUESTS[transport])
        self.take(self._first())
        self.socket.setblocking(False)

    def ask(self, request: str) -> None:
        """Send a request."""
        self.socket.sendall((request + HEADERS).encode())

    def wait(self) -> None:
        """Ask for what comes next."""
        self.ask(f"GET /audit?since={self.since}&wait=55 HTTP/1.1\r\n")

    def read(self) -> bytes:
        """Take what has come, and note when."""
        received = self.socket.recv(READ_BYTES)
        self.at_ns = time.monotonic_ns()
        if not received:
            raise ConnectionError(f"the gateway ended a connection by {self.transport}")
        self.take(received)
        return received

    def take(self, received: bytes) -> None:
        """Note the last position in it."""
        for found in POSITION.finditer(received):
            self.since = f"{found[1].decode()}:{found[2].decode()}"

    def _first(self) -> bytes:
        received = b""
        while b'"type":"snapshot"' not in received:
            received += self.socket.recv(READ_BYTES)
        return received


class Crowd:
    """The process of the clients, seen from outside."""

    def __init__(self, commands: "Connection[Any, Any]") -> None:
        self._commands = commands

    def times_of(self, change: int) -> dict[str, list[int]]:
        """Wait until every client has a change; give when each got it, by transport, in monotonic ns."""
        times: dict[str, list[int]] = self._ask(("times", change))
        return times

    def poll(self, etag: str, count: int, connections: int) -> float:
        """Have so many conditional polls answered 304, one after the other on each connection; give the seconds."""
        took_s: float = self._ask(("poll", etag, count, connections))
        return took_s

    def _ask(self, command: tuple[Any, ...]) -> Any:
        self._commands.send(command)
        return self._commands.recv()


@contextlib.contextmanager
def crowd(port: int, transports: Sequence[str]) -> Iterator[Crowd]:
    """Connect a client for each of ``transports``, in that order, until the end of the block."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_run, args=(port, list(transports), theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        ours.recv()
        yield Crowd(ours)
    finally:
        ours.close()
        process.join(10)
        process.kill()


def _run(port: int, transports: Sequence[str], commands: "Connection[Any, Any]") -> None:
    clients = [Client(port, transport) for transport in transports]
    for client in clients:
        if client.transport == "poll":
            client.wait()
    does: dict[str, Callable[..., object]] = {"times": _times_of, "poll": _poll}
    commands.send("connected")
    with contextlib.suppress(EOFError):
        while True:
            name, *given = commands.recv()
            commands.send(does[name](port, clients, *given))


def _times_of(port: int, clients: list[Client], change: int) -> dict[str, list[int]]:
    marker, waiting = b'"change":%d,' % change, {client.socket.fileno(): client for client in clients}
    times: dict[str, list[int]] = {}
    with select.epoll() as poll:
        for descriptor in waiting:
            poll.register(descriptor, select.EPOLLIN)
        while waiting:
            for descriptor, _ in poll.poll(WITHIN_S):
                client = waiting[descriptor]
                if marker in client.read():
                    times.setdefault(client.transport, []).append(client.at_ns)
                    del waiting[descriptor]
                    poll.unregister(descriptor)
                if client.transport == "poll":
                    client.wait()
    return times


def _poll(port: int, clients: list[Client], etag: str, count: int, connections: int) -> float:
    request = (f"GET /audit HTTP/1.1\r\nAccept-Encoding: gzip\r\nIf-None-Match: {etag}\r\n" + HEADERS).encode()
    sockets = {each.fileno(): each for each in (socket.create_connection((HOST, port)) for _ in range(connections))}
    asked, answered, began_s = len(sockets), 0, time.monotonic()
    with select.epoll() as poll:
        for descriptor, each in sockets.items():
            poll.register(descriptor, select.EPOLLIN)
            each.sendall(request)
        while answered < count:
            for descriptor, _ in poll.poll(WITHIN_S):
                answer = sockets[descriptor].recv(READ_BYTES)
                if not answer.startswith(b"HTTP/1.1 304 "):
                    raise ConnectionError(f"a conditional poll was answered {answer[:80]!r}")
                answered += 1
                if asked < count:
                    sockets[descriptor].sendall(request)
                    asked += 1
    took_s = time.monotonic() - began_s
    for each in sockets.values():
        each.close()
    return took_s
