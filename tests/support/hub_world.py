"""A hub, its readers, and an event loop that turns when it is told to."""

import dataclasses
from collections.abc import Callable

from gateway.burst import Burst
from gateway.hub import Flow, Hub, Peer
from reportcast.contracts.frames import PreparedFrame


class Ticks:
    """An event loop that turns when it is told to."""

    def __init__(self) -> None:
        self._due: list[Callable[[], None]] = []

    def soon(self, callback: Callable[[], None]) -> None:
        self._due.append(callback)

    def turn(self) -> None:
        due, self._due = self._due, []
        for callback in due:
            callback()

    def run(self) -> int:
        """Turn until nothing is due; give how often it turned."""
        turns = 0
        while self._due:
            self.turn()
            turns += 1
        return turns


@dataclasses.dataclass(slots=True, eq=False)
class Reader:
    """A client whose kernel takes ``room`` more writes before it is full."""

    peer: Peer
    hub: Hub
    room: int = 1_000_000
    broken: bool = False
    flow: Flow = Flow.OPEN
    sequence: int = 0
    began: int = 0
    conflated: int = 0
    is_owed: bool = False
    received: list[int] = dataclasses.field(default_factory=list)
    told: list[int] = dataclasses.field(default_factory=list)
    joined_at: int = 0
    base: int = 0

    def write(self, burst: Burst) -> None:
        assert self.flow is Flow.OPEN
        if self.broken:
            raise RuntimeError("a fault")
        for frame in burst.frames:
            is_whole, number = frame.payload.startswith(b"="), int(frame.payload.removeprefix(b"="))
            assert is_whole or [self.base, *self.received][-1] == number - 1, "a step across a gap"
            self.received.append(number)
        self._took()

    def queue(self, burst: Burst) -> None:
        assert self.flow is Flow.PAUSED
        self.received += [int(frame.payload.removeprefix(b"=")) for frame in burst.frames]

    def tell_skipped(self, count: int) -> None:
        assert self.flow is Flow.OPEN
        self.told.append(count)
        self._took()

    def abort(self) -> None:
        raise NotImplementedError

    def _took(self) -> None:
        self.room -= 1
        if self.room <= 0:
            self.hub.pause(self)


class World:
    """A hub, its ticks, and what it counted; updates carry their number, and whole states a sign before it."""

    def __init__(self) -> None:
        self.ticks = Ticks()
        self.sent = 0
        self.conflated = 0
        self.failed: list[object] = []
        self.hub = Hub(self.ticks.soon, self._on_sent, self._on_conflated, lambda each, error: self.failed.append(each))
        self.published = 0
        self.readers: list[Reader] = []

    def join(self, flow: Flow = Flow.OPEN) -> Reader:
        peer = Peer(len(self.readers) + 1, "audit", "", 0, "", 0.0)
        reader = Reader(peer, self.hub, joined_at=self.published, flow=flow)
        self.readers.append(reader)
        self.hub.join(reader)
        return reader

    def publish(self, count: int = 1, padding: str = "") -> None:
        for _ in range(count):
            self.published += 1
            number = str(self.published) + padding
            self.hub.publish(PreparedFrame(number.encode()), PreparedFrame(f"={number}".encode()))

    def jump(self, advance: int) -> None:
        self.published += advance
        self.hub.publish(PreparedFrame(f"={self.published}".encode()), advance=advance)

    def _on_sent(self, count: int) -> None:
        self.sent += count

    def _on_conflated(self, count: int) -> None:
        self.conflated += count
