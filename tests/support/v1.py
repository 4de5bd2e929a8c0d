"""What a client of ``reportcast.v1`` is told, and where the gateway stands that tells it."""

import json
from typing import Any

from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.position import Position
from websockets.asyncio.client import ClientConnection

from tests.support.reports import change
from tests.support.running import CHANNEL, RunningGateway


async def take(client: ClientConnection, *kinds: str) -> list[dict[str, Any]]:
    """Give the next messages, which have to be of these types."""
    frames = [json.loads(await client.recv()) for _ in kinds]
    assert [frame["type"] for frame in frames] == list(kinds)
    return frames


async def until(client: ClientConnection, kind: str) -> str | bytes:
    """Give the next message of a type, as it came."""
    while json.loads(raw := await client.recv())["type"] != kind:
        pass
    return raw


async def publish(broker: MemoryBroker, first: int, last: int) -> None:
    """Publish the reports from one mark to another, each as what changed."""
    for mark in range(first, last + 1):
        await broker.publish(CHANNEL, change(mark - 1, mark))


def text_of(frame: str | bytes, name: str) -> bytes:
    """Give the exact text of a frame's last member."""
    raw = frame if isinstance(frame, bytes) else frame.encode()
    return raw.partition(b'"%s":' % name.encode())[2].removesuffix(b"}")


def where(gateway: RunningGateway) -> Position:
    """Tell where the gateway stands."""
    assert gateway.feed.replica.snapshot is not None
    return gateway.feed.replica.snapshot.position


def at(gateway: RunningGateway, offset: int) -> str:
    """Give the part of an address that says where a client stands."""
    return f"epoch={where(gateway).epoch}&offset={offset}"
