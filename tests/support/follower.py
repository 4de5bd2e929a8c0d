"""
A client that follows a report as docs/protocol.md asks clients to, on whichever gateway answers, and keeps a journal.

Source: docs/protocol.md, Version 1.
"""

import asyncio
import dataclasses
import itertools
import random
from collections.abc import Sequence

from reportcast.contracts import delta as deltas
from reportcast.contracts.errors import DeltaError
from reportcast.contracts.position import Continuity, Position
from reportcast.contracts.v1_frames import SUBPROTOCOL
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from tests.support.journal import Adopted, Delta, Event, Following, Opened, Skipped
from tests.support.wire import Frame, change_of, digest_of, follow, frame_of, query

BASE_S, CAP_S = 0.1, 1.0
# A gateway that is frozen takes connections, as its kernel does it, and answers none.
OPEN_S = 2.0


@dataclasses.dataclass(frozen=True, slots=True)
class Held:
    """A report and where it stands."""

    position: Position
    digest: str
    body: bytes


class Follower:
    """
    One client.

    Attributes:
        held: What it shows now; ``None`` before the first report.
        change: Number of the change that made it.
        journal: All that happened, in order.

    Args:
        gateways: Their addresses, ``host:port``; after each connection it is the next one's turn.
        number: Of the client; every other one takes compression, and begins with the other gateway.
        chance: For its waits.
    """

    def __init__(self, gateways: Sequence[str], number: int, chance: random.Random) -> None:
        self.held: Held | None = None
        self.change = 0
        self.journal: list[Event] = []
        first = number % len(gateways)
        self._gateways = itertools.cycle([*gateways[first:], *gateways[:first]])
        self._compression = "deflate" if number // len(gateways) % 2 else None
        self._chance = chance
        self._asked: Position | None = None
        self._is_asking = False
        self._failures = 0
        self._retry_after_s: float | None = None

    @property
    def position(self) -> Position | None:
        """Where it stands."""
        return self.held.position if self.held else None

    async def run(self) -> None:
        """Follow, for ever."""
        for gateway in self._gateways:
            try:
                await self._stay(gateway)
            except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed):
                self._failures += 1
            await asyncio.sleep(self._wait_s())

    async def _stay(self, gateway: str) -> None:
        self._asked = self.position
        address = f"ws://{gateway}{query(self._asked)}"
        async with connect(
            address,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=self._compression,
            max_size=None,
            max_queue=None,
            open_timeout=OPEN_S,
            close_timeout=OPEN_S,
            ping_interval=None,
            proxy=None,
        ) as socket:
            self.journal.append(Opened())
            self._is_asking = True
            async for text in socket:
                await self._take(frame_of(text), socket)

    def _wait_s(self) -> float:
        if (asked_s := self._retry_after_s) is not None:
            self._retry_after_s = None
            return asked_s
        return self._chance.uniform(0, min(CAP_S, BASE_S * 2 ** min(self._failures, 10)))

    async def _take(self, frame: Frame, socket: ClientConnection) -> None:
        match frame.type:
            case "following":
                self._is_asking = not frame.recovered  # until the whole has come
                self._failures = 0
                self.journal.append(Following(self._asked, frame.position, frame.recovered))
            case "snapshot":
                self._adopt(frame)
            case "delta":
                if not self._apply(frame):
                    await self._ask_again(socket)
            case "skipped":
                self.journal.append(Skipped(frame.to))
            case "drain" if frame.retry_after_ms is not None:
                self._retry_after_s = frame.retry_after_ms / 1000
            case "error":
                raise AssertionError(f"the gateway answered {frame.code}: {frame.message}")

    def _adopt(self, frame: Frame) -> None:
        self._is_asking = False
        body = bytes(frame.data)
        found = digest_of(body)
        assert frame.position is not None
        self.journal.append(Adopted(frame.position, frame.digest, found))
        self._hold(Held(frame.position, found, body))

    def _apply(self, frame: Frame) -> bool:
        """Apply a delta if it fits; tell whether the client needs nothing more than to go on."""
        position, held = frame.position, self.held
        assert position is not None
        body = self._made(frame, position)
        found = digest_of(body) if body is not None else None
        self.journal.append(Delta(position, frame.base, frame.digest, found))
        if body is not None and found == frame.digest:
            self._hold(Held(position, found, body))
            return True
        return held is not None and held.position.classify(position) is Continuity.DUPLICATE

    def _made(self, frame: Frame, position: Position) -> bytes | None:
        held = self.held
        if held is None or held.position.classify(position) is not Continuity.NEXT or held.digest != frame.base:
            return None
        try:
            return deltas.apply(bytes(frame.changes), held.body)
        except DeltaError:
            return b""  # whose digest is no report's: the journal shows it

    async def _ask_again(self, socket: ClientConnection) -> None:
        if not self._is_asking:
            self._is_asking = True
            self._asked = self.position
            await socket.send(follow(self._asked))

    def _hold(self, held: Held) -> None:
        self.held = held
        self.change = change_of(held.body)
