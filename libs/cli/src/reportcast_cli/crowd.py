"""
Many light WebSocket clients in one process.

They speak as much of RFC 6455 as a gateway's frames need, and leave the reading to a ``Tally``: a frame costs one call
and one comparison, so that the gateway is measured before its clients are.
"""

import asyncio
import base64
import collections
import dataclasses
import os
import re
import ssl
import time
from collections.abc import Iterator
from typing import cast
from urllib.parse import urlsplit

from reportcast_cli.tally import Tally

_FINAL = 0x80
# Masked with zeros (5.3); a close with 1000.
_CLOSED = b"\x88\x82\0\0\0\0\x03\xe8"
CONNECT_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0
# As the clients that are measured for allow; and what a handshake's answer may have.
MAX_FRAME_BYTES = 64 * 1024 * 1024
MAX_HEAD_BYTES = 64 * 1024
# Of a control frame (5.5).
_MAX_CONTROL_BYTES = 125
# So many shake hands at the same time; more would wait in the kernel's queue, and be measured there.
AT_ONCE = 64


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """Where clients connect: the parts of a ``ws`` or ``wss`` address, and the headers of the handshake."""

    url: str
    subprotocol: str | None
    token: str | None

    @property
    def tls(self) -> ssl.SSLContext | None:
        """What proves the gateway to be the right one; ``None`` without TLS."""
        return ssl.create_default_context() if self.url.startswith("wss:") else None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or (443 if parts.scheme == "wss" else 80)

    def handshake(self) -> bytes:
        """Give the request for an upgrade."""
        parts = urlsplit(self.url)
        lines = [
            f"GET {parts.path}{'?' + parts.query if parts.query else ''} HTTP/1.1",
            f"Host: {parts.netloc.rpartition('@')[2]}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            "Sec-WebSocket-Version: 13",
            "User-Agent: reportcast-bench",
            *([f"Sec-WebSocket-Protocol: {self.subprotocol}"] if self.subprotocol else []),
            *([f"Authorization: Bearer {self.token}"] if self.token else []),
        ]
        return "\r\n".join([*lines, "", ""]).encode()


class Client(asyncio.Protocol):
    """
    One client.

    Attributes:
        outcome: Set when the handshake has ended: ``None``, or why there is no connection.
        greeted: Set with the first frame.
        ended: Why the connection ended; ``None`` while it is there.
    """

    def __init__(self, number: int, request: bytes, tally: Tally) -> None:
        loop = asyncio.get_running_loop()
        self.outcome: asyncio.Future[str | None] = loop.create_future()
        self.greeted: asyncio.Future[None] = loop.create_future()
        self.gone: asyncio.Future[None] = loop.create_future()
        self.ended: str | None = None
        self._number = number
        self._request = request
        self._tally = tally
        self._received = bytearray()
        # Of them, so many have to be there before there is more to be read.
        self._needed = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = self.ended or "connection lost"
        for waited in (self.greeted, self.gone):
            if not waited.done():
                waited.set_result(None)
        if not self.outcome.done():
            self.outcome.set_result("the connection was closed before the handshake was answered")

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) >= self._needed and (self.outcome.done() or self._shake()):
            now_s, cpu_s = time.clock_gettime(time.CLOCK_REALTIME), time.process_time()
            for opcode, payload in self._frames():
                self._take(opcode, payload, now_s, cpu_s)

    def close(self) -> None:
        """Say goodbye."""
        if self._transport and not self._transport.is_closing():
            self.ended = self.ended or "closed by this client"
            self._transport.write(_CLOSED)

    def cut(self) -> None:
        """End it, however it stands."""
        if self._transport:
            self._transport.abort()

    def _shake(self) -> bool:
        head, end, _ = self._received.partition(b"\r\n\r\n")
        if not end and len(head) <= MAX_HEAD_BYTES:
            return False
        status = re.match(rb"HTTP/1\.1 (\d{3})", head)
        if end and status and status[1] == b"101":
            del self._received[: len(head) + len(end)]
            self.outcome.set_result(None)
            return True
        self.outcome.set_result(f"refused with {status[1].decode()}" if status else "what answers speaks no HTTP")
        self.cut()
        return False

    def _frames(self) -> Iterator[tuple[int, bytes]]:
        received, at, self._needed = bytes(self._received), 0, 0
        while span := _span(received, at):
            start, end = span
            if end - start > MAX_FRAME_BYTES:
                self._give_up(f"a frame came that is larger than {MAX_FRAME_BYTES} bytes")
                return
            if end > len(received):
                self._needed = end - at
                break
            yield received[at], received[start:end]
            at = end
        del self._received[:at]

    def _take(self, first: int, payload: bytes, now_s: float, cpu_s: float) -> None:
        if not self.greeted.done():
            self.greeted.set_result(None)
        match first & 0x0F:
            case 0x1 if first & _FINAL:
                self._tally.receive(self._number, payload, now_s, cpu_s)
            case 0x9 if len(payload) <= _MAX_CONTROL_BYTES:
                assert self._transport is not None
                self._transport.write(bytes([0x8A, _FINAL | len(payload)]) + bytes(4) + payload)
            case 0x8:
                self.ended = self.ended or f"closed with {int.from_bytes(payload[:2]) or 1005}"
                self.close()
            case _:
                self._give_up("a frame came that this client cannot read")

    def _give_up(self, why: str) -> None:
        self.ended = self.ended or why
        self._received.clear()
        self.cut()


def _span(received: bytes, at: int) -> tuple[int, int] | None:
    """Tell where a frame's payload begins and is to end; ``None`` until its head is whole (5.2)."""
    if len(received) < at + 2:
        return None
    start = at + {126: 4, 127: 10}.get(received[at + 1], 2)
    if len(received) < start:
        return None
    size = received[at + 1] if start == at + 2 else int.from_bytes(received[at + 2 : start])
    return start, start + size


class Crowd:
    """
    Clients that connect, stay, and go.

    Attributes:
        clients: Those that are connected, or were.
        refused: How many were not let in, by the reason.
        shaken_ms: How long each handshake took.
    """

    def __init__(self, target: Target, tally: Tally) -> None:
        self.clients: list[Client] = []
        self.refused: collections.Counter[str] = collections.Counter()
        self.shaken_ms: list[float] = []
        self._target = target
        self._tally = tally
        self._tls = target.tls
        self._gate = asyncio.Semaphore(AT_ONCE)

    @property
    def present(self) -> int:
        """How many are connected."""
        return sum(client.ended is None for client in self.clients)

    @property
    def lost(self) -> collections.Counter[str]:
        """How many were connected and are not any more, by the reason."""
        return collections.Counter(client.ended for client in self.clients if client.ended is not None)

    async def connect(self, count: int) -> float:
        """Have so many connect; give how many seconds that took."""
        clock = asyncio.get_running_loop().time
        began_s = clock()
        async with asyncio.TaskGroup() as tasks:
            for number in range(count):
                tasks.create_task(self._join(number))
        return clock() - began_s

    async def _join(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        client = Client(number, self._target.handshake(), self._tally)
        async with self._gate:
            began_s = loop.time()
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    await loop.create_connection(lambda: client, *self._target.address, ssl=self._tls)
                    refusal = await client.outcome
            except TimeoutError:
                refusal = f"nothing came within {CONNECT_TIMEOUT_S:g} s"
                client.cut()
            except (OSError, UnicodeError) as exc:
                refusal = getattr(exc, "strerror", None) or str(exc)
        if refusal:
            self.refused[refusal] += 1
        else:
            self.shaken_ms.append(1000 * (loop.time() - began_s))
            self.clients.append(client)

    async def greeted(self, within_s: float) -> None:
        """Wait until every client was sent something, but no longer."""
        await asyncio.wait([client.greeted for client in self.clients], timeout=within_s)

    async def leave(self) -> None:
        """Have all go; who is not let go in time is cut off."""
        for client in self.clients:
            client.close()
        if self.clients:
            await asyncio.wait([client.gone for client in self.clients], timeout=CLOSE_TIMEOUT_S)
        for client in self.clients:
            client.cut()
