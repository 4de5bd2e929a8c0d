"""Named faults: they wrap the real thing."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from reportcast.broker.base import Broker, ChannelState, Stored
from reportcast.broker.errors import BrokerUnavailable
from reportcast.contracts.messages import Message, Publication
from reportcast.contracts.position import Position
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri


class DeafSubscription:
    """A broker whose subscriptions are half-open while ``deaf``: no message arrives, and no error either."""

    def __init__(self, broker: Broker) -> None:
        self.deaf = False
        self._broker = broker

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)

    @contextlib.asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[AsyncIterator[Message]]:
        async with self._broker.subscribe(channel) as messages:
            yield self._filtered(messages)

    async def _filtered(self, messages: AsyncIterator[Message]) -> AsyncIterator[Message]:
        async for message in messages:
            if not self.deaf:
                yield message


class HoldsState(DeafSubscription):
    """A broker that takes its time with the stored state of one channel, until ``go`` is set."""

    def __init__(self, broker: Broker, channel: str) -> None:
        super().__init__(broker)
        self.go = asyncio.Event()
        self._channel = channel

    async def state(self, channel: str) -> ChannelState:
        if channel == self._channel:
            await self.go.wait()
        return await self._broker.state(channel)


class PublishesWhileRead(DeafSubscription):
    """A broker to which somebody publishes just before its stored state is read."""

    def __init__(self, broker: Broker, publication: Publication) -> None:
        super().__init__(broker)
        self._publication = publication

    async def state(self, channel: str) -> ChannelState:
        await self._broker.publish(channel, self._publication)
        return await self._broker.state(channel)


class LosesLinkOnce(DeafSubscription):
    """A broker whose link breaks at the next look at the position, once ``now`` is set."""

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker)
        self.now = False
        self.broke = asyncio.Event()

    async def position(self, channel: str) -> Position | None:
        if self.now:
            self.now = False
            self.broke.set()
            raise BrokerUnavailable("link", "a fault")
        return await self._broker.position(channel)


class HoldsFirstPublish(DeafSubscription):
    """A broker that takes its time with the first publication, until ``go`` is set."""

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker)
        self.held = asyncio.Event()
        self.go = asyncio.Event()

    async def publish(self, channel: str, publication: Publication, fence: int | None = None) -> Stored:
        self.held.set()
        await self.go.wait()
        return await self._broker.publish(channel, publication, fence)


@contextlib.asynccontextmanager
async def slow_reader(address: str, subprotocol: str | None = None) -> AsyncIterator[asyncio.StreamReader]:
    """Connect a WebSocket client that shakes hands and then reads nothing by itself."""
    host, port = address.removeprefix("http://").rstrip("/").split(":")
    wish = f"Sec-WebSocket-Protocol: {subprotocol}\r\n" if subprotocol else ""
    # limit: the client's own buffer takes next to nothing, so that the kernel's fills.
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    writer.write(
        f"GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n{wish}\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    try:
        yield reader
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def slow_request(address: str, path: str) -> AsyncIterator[asyncio.StreamReader]:
    """Ask by HTTP, read the head of the answer, and nothing of the rest by itself."""
    host, port = address.removeprefix("http://").rstrip("/").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    try:
        yield reader
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def text_frames(reader: asyncio.StreamReader) -> AsyncGenerator[bytes, None]:
    """Give the messages that a ``slow_reader`` begins to read, to the end of the connection."""
    client = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=None)
    while piece := await reader.read(1_000_000):
        client.receive_data(piece)
        for frame in client.events_received():
            if isinstance(frame, Frame) and frame.opcode is Opcode.TEXT:
                yield bytes(frame.data)


async def trickling(reader: asyncio.StreamReader) -> None:
    """Read a little, again and again, for ever."""
    while await reader.read(5000):  # noqa: ASYNC110 - to be slow is what it is for
        await asyncio.sleep(0.02)
