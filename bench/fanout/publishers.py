"""How events get to the servers. See the package's docstring."""

import asyncio
import contextlib
import hashlib
import socket
from collections.abc import Sequence
from typing import Protocol

from reportcast.broker.redis import RedisBroker
from reportcast.contracts.clock import utc_now
from reportcast.contracts.messages import Publication

from bench.clients import BUFFER, PING, PONG, TEXT, FrameReader

CHANNEL = "bench"
WITHIN_S = 10.0
MASKED = 0x80
NO_MASK = b"\0\0\0\0"


class Publisher(Protocol):
    """Hands events to one server."""

    def publish(self, events: Sequence[bytes]) -> None:
        """Hand over several at once, in this order."""
        ...

    def close(self) -> None: ...


class RedisPublisher:
    """Publishes reports as the watcher does, through the broker."""

    def __init__(self, url: str) -> None:
        self._runner = asyncio.Runner()
        self._broker = RedisBroker(url)

    def publish(self, events: Sequence[bytes]) -> None:
        self._runner.run(self._publish(events))

    def close(self) -> None:
        self._runner.run(self._broker.close())
        self._runner.close()

    async def _publish(self, events: Sequence[bytes]) -> None:
        # At the same time they would go through several connections, which Redis may read in another order.
        for event in events:
            await self._broker.publish(CHANNEL, publication_of(event))


def publication_of(event: bytes) -> Publication:
    """Make a report of an event, as the watcher does."""
    now = utc_now()
    return Publication("bench", hashlib.sha256(event).hexdigest(), now, now, event)


class WebSocketPublisher:
    """
    Sends each event as a text message.

    Args:
        port: Of the server.
        path: Of the endpoint, with its query.
        around: What stands before and after each event.
        speaks_socketio: Whether the Socket.IO handshake follows.
    """

    def __init__(
        self, port: int, path: str, around: tuple[bytes, bytes] = (b"", b""), speaks_socketio: bool = False
    ) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=WITHIN_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._frames = FrameReader()
        self._around = around
        self._newest = b""
        self._upgrade(port, path)
        if speaks_socketio:
            self._await(b"0{")
            self._socket.sendall(masked_text(b"40"))
            self._await(b"40")

    def publish(self, events: Sequence[bytes]) -> None:
        self._answer()
        before, after = self._around
        self._socket.sendall(b"".join(masked_text(before + event + after) for event in events))

    def close(self) -> None:
        self._socket.close()

    def _upgrade(self, port: int, path: str) -> None:
        self._socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = self._socket.recv(len(BUFFER))
            if not piece or not (answer + piece).startswith(b"HTTP/1.1 101 "):
                raise ConnectionError(f"the server refused its publisher: {answer + piece!r}")
            answer += piece
        self._take(answer.partition(b"\r\n\r\n")[2])

    def _await(self, beginning: bytes) -> None:
        while not self._newest.startswith(beginning):
            self._receive()

    def _receive(self) -> None:
        received = self._socket.recv(len(BUFFER))
        if not received:
            raise ConnectionError("the server ended its publisher's connection")
        self._take(received)

    def _answer(self) -> None:
        """Take what has come: pings, so that the server keeps the connection, and confirmations."""
        self._socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self._receive()
        self._socket.settimeout(WITHIN_S)

    def _take(self, received: bytes) -> None:
        for opcode, payload in self._frames.feed(received):
            self._newest = payload
            if opcode == PING:
                self._socket.sendall(PONG[:1] + masked_text(payload)[1:])
            elif opcode == TEXT and payload == b"2":  # Engine.IO's ping
                self._socket.sendall(masked_text(b"3"))


def masked_text(payload: bytes) -> bytes:
    """Give a client's text frame, masked with zeros: so that masking it costs nobody anything (RFC 6455, 5.2)."""
    size = len(payload)
    if size < 126:
        length = bytes([MASKED | size])
    elif size < 65536:
        length = bytes([MASKED | 126]) + size.to_bytes(2)
    else:
        length = bytes([MASKED | 127]) + size.to_bytes(8)
    return b"\x81" + length + NO_MASK + payload
