"""
Which connections follow a channel in this process, and how far each of them is. Fans out, never waits.

Updates are numbered here from 1. A connection's number says what it has, so that whatever happens between two slices
of a fan-out (one joins, pauses, resumes, leaves), each gets every update once and in order, or one newest instead of
those it was too slow for, and is told how many those were.

``Connection`` is the seam between fan-out and transport: whatever carries frames to one client has this shape.
"""

import dataclasses
import enum
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from reportcast.contracts.frames import PreparedFrame

from gateway.burst import Burst

T = TypeVar("T")

# After so many writes, or so many bytes, everybody else has a turn: about 3 ms.
SLICE_WRITES = 256
SLICE_BYTES = 4 * 1024 * 1024
# What may wait for a fan-out to end. Beyond it the oldest updates make room, for everybody.
MAX_WAITING_BYTES = 1024 * 1024


class Flow(enum.Enum):
    """Whether a connection can be written to."""

    OPEN = "open"
    PAUSED = "paused"
    CLOSING = "closing"


@dataclasses.dataclass(frozen=True, slots=True)
class Peer:
    """
    Who is at the other end, for people to read.

    Attributes:
        id: Unique in this process.
        channel: What it follows.
        host: Network address, as limits count it: the client's, or that of the proxy which is not trusted.
        port: Its port; 0 if a proxy told the address.
        user_agent: As sent, at most 200 characters.
        opened_s: By the event loop's clock.
    """

    id: int
    channel: str
    host: str
    port: int
    user_agent: str
    opened_s: float

    @property
    def address(self) -> str:
        """Where it is, for people to read."""
        return f"{self.host}:{self.port}" if self.port else self.host


class Connection(Protocol):
    """
    One client's transport and our state for it.

    Attributes:
        peer: Who it is.
        flow: Set by the hub.
        sequence: Number of the last update it was given; set by the hub.
        began: Number from which it was given updates; set by the hub.
        conflated: How many it was not given because it was slow; set by the hub.
        silent_pings: How many pings in a row had no answer.
        close_code: With what it ended; 1006 until somebody has said otherwise.
    """

    peer: Peer
    flow: Flow
    sequence: int
    began: int
    conflated: int
    silent_pings: int
    close_code: int

    @property
    def unsent_bytes(self) -> int:
        """What its client has not taken yet."""
        ...

    def write(self, burst: Burst) -> None:
        """Take updates to send at once; may pause the connection before it returns, but takes them all. Never waits."""
        ...

    def tell_skipped(self, count: int) -> None:
        """Tell the client, if it wants to know, that ``count`` updates before the next one are left out."""
        ...

    def reply(self, frame: PreparedFrame) -> None:
        """Send an answer."""
        ...

    def ping(self) -> None:
        """Ask the client for a sign of life, and count the question."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Send a close frame behind what is on its way, and end when the client answers it."""
        ...

    def abort(self) -> None:
        """End at once."""
        ...


class Hub:
    """
    The connections of this process that follow one channel.

    Args:
        soon: Calls back in the next tick of the event loop.
        on_sent: Gets how many updates connections were given since the last call.
        on_conflated: Gets how many a connection was not given.
        on_failure: Gets a connection that could not be written to, and why; it is closing then.

    Attributes:
        newest: The last update published; ``None`` before the first.
    """

    def __init__(
        self,
        soon: Callable[[Callable[[], None]], object],
        on_sent: Callable[[int], object],
        on_conflated: Callable[[int], object],
        on_failure: Callable[[Connection, Exception], object],
    ) -> None:
        self.newest: Burst | None = None
        self._soon = soon
        self._on_sent = on_sent
        self._on_conflated = on_conflated
        self._on_failure = on_failure
        self._everyone: dict[int, Connection] = {}
        self._open: dict[int, Connection] = {}
        self._paused: dict[int, Connection] = {}
        self._closing: dict[int, Connection] = {}
        # Published, and not yet being fanned out.
        self._waiting: list[PreparedFrame] = []
        self._fanning_out: Iterator[None] | None = None

    def __len__(self) -> int:
        return len(self._everyone)

    @property
    def connections(self) -> Iterable[Connection]:
        """Those who follow, oldest first."""
        return self._everyone.values()

    @property
    def paused(self) -> list[Connection]:
        """Those who are too slow at present, longest first."""
        return list(self._paused.values())

    @property
    def closing(self) -> list[Connection]:
        """Those who were asked to leave, longest first; nothing more is sent to them."""
        return list(self._closing.values())

    def behind(self, connection: Connection) -> int:
        """How many updates ``connection`` was not given yet."""
        return self._sequence - connection.sequence

    def given(self, connection: Connection) -> int:
        """How many updates ``connection`` was given. Worked out, so that a delivery need not count."""
        return connection.sequence - connection.began - connection.conflated

    def join(self, connection: Connection) -> None:
        """Give ``connection`` the newest update, if there is one, and every one from now on."""
        self._everyone[connection.peer.id] = connection
        if connection.flow is Flow.OPEN:
            self._open[connection.peer.id] = connection
        connection.sequence = connection.began = self._sequence
        self.repeat(connection)

    def leave(self, connection: Connection) -> None:
        """Forget ``connection``, which is at its end."""
        if connection.flow is Flow.PAUSED:
            self._skip(connection, self.behind(connection))
        connection.flow = Flow.CLOSING
        for group in (self._everyone, self._open, self._paused, self._closing):
            group.pop(connection.peer.id, None)

    def close(self, connection: Connection) -> None:
        """Send ``connection`` nothing more; it is to end."""
        self.leave(connection)
        self._closing[connection.peer.id] = connection

    def pause(self, connection: Connection) -> None:
        """Spare ``connection``: its client reads more slowly than updates come."""
        if connection.flow is Flow.OPEN:
            connection.flow = Flow.PAUSED
            self._open.pop(connection.peer.id, None)
            self._paused[connection.peer.id] = connection

    def resume(self, connection: Connection) -> None:
        """Give ``connection`` the newest update instead of those it missed, and every one from now on."""
        if connection.flow is not Flow.PAUSED:
            return
        connection.flow = Flow.OPEN
        del self._paused[connection.peer.id]
        self._open[connection.peer.id] = connection
        if self.newest and connection.sequence < self._sequence - len(self._waiting):
            self._give(connection, self.newest)

    def repeat(self, connection: Connection) -> None:
        """Give ``connection`` the newest update, although it may have it. One that is paused gets it on resuming."""
        if self.newest is None or connection.sequence < self._sequence:
            return  # it is given the newest in any case
        connection.sequence -= 1
        connection.began -= 1
        if connection.flow is Flow.OPEN:
            self._give(connection, self.newest)

    def publish(self, frame: PreparedFrame) -> None:
        """Have ``frame`` given to every connection, together with what else is published in this tick."""
        self.newest = Burst((frame,), self._sequence + 1)
        self._waiting.append(frame)
        while len(self._waiting) > 1 and sum(each.size for each in self._waiting) > MAX_WAITING_BYTES:
            del self._waiting[0]
        if self._fanning_out is None:
            self._fanning_out = self._fan_out()
            self._soon(self._continue)

    @property
    def _sequence(self) -> int:
        return self.newest.last if self.newest else 0

    def _continue(self) -> None:
        assert self._fanning_out is not None
        for _ in self._fanning_out:
            self._soon(self._continue)
            return
        self._fanning_out = None

    def _fan_out(self) -> Iterator[None]:
        """Give everyone what waits, until nothing does; a step is a slice."""
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            burst = self.newest if self.newest and len(waiting) == 1 else Burst(waiting, self._sequence)
            slice_size = max(1, min(SLICE_WRITES, SLICE_BYTES // burst.size))
            turns = iter(list(self._open.values()))
            while batch := list(itertools.islice(turns, slice_size)):
                self._on_sent(self._give_all(batch, burst))
                yield

    def _give_all(self, connections: Iterable[Connection], burst: Burst) -> int:
        # One loop without calls but the write: what is done here is done for every delivery.
        sent, last, count = 0, burst.last, len(burst.frames)
        for connection in connections:
            if connection.flow is not Flow.OPEN:
                continue
            behind = last - connection.sequence
            try:
                if behind == count:  # as nearly always
                    connection.sequence = last
                    connection.write(burst)
                    sent += count
                else:
                    sent += self._catch_up(connection, burst, behind)
            except Exception as error:
                # Whatever is wrong with one must not keep the update from the others.
                self.close(connection)
                self._on_failure(connection, error)
        return sent

    def _catch_up(self, connection: Connection, burst: Burst, behind: int) -> int:
        if behind <= 0:  # it joined or resumed meanwhile
            return 0
        if behind < len(burst.frames):
            burst = burst.newest(behind)
        elif skipped := behind - len(burst.frames):
            self._skip(connection, skipped)
            connection.tell_skipped(skipped)
            if connection.flow is not Flow.OPEN:  # telling was too much; the rest comes on resuming
                return 0
        connection.sequence = burst.last
        connection.write(burst)
        return len(burst.frames)

    def _give(self, connection: Connection, burst: Burst) -> None:
        self._on_sent(self._catch_up(connection, burst, self.behind(connection)))

    def _skip(self, connection: Connection, skipped: int) -> None:
        connection.sequence += skipped
        connection.conflated += skipped
        self._on_conflated(skipped)


def slices(all_of_them: Iterable[T]) -> Iterator[list[T]]:
    """Give what is done without letting anybody else have a turn, SLICE_WRITES at a time."""
    rest = iter(list(all_of_them))
    while few := list(itertools.islice(rest, SLICE_WRITES)):
        yield few
