"""
Who follows the same thing in this process, and how far each of them is. Fans out, never waits.

Updates are numbered here. A follower's number says what it has, so that whatever happens between two slices of a
fan-out (one joins, pauses, resumes, leaves), each gets every update once and in order, or the whole newest state
instead of those it was too slow for, and is told how many those were.

``Follower`` is the seam between fan-out and transport: whatever carries frames to one client has this shape.
"""

import dataclasses
import enum
import itertools
from collections import deque
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


class Follower(Protocol):
    """
    One client as a hub sees it: a connection that follows one report, or one of the things that a connection follows.

    Attributes:
        peer: Who it is.
        flow: Set by the hub.
        sequence: Number of the last update it was given, or after which it joined; set by the hub.
        began: Number from which it was given updates; set by the hub.
        conflated: How many it was not given because it was slow; set by the hub.
        is_owed: Whether it is to get the newest on resuming, whatever it has; set by the hub.
    """

    peer: Peer
    flow: Flow
    sequence: int
    began: int
    conflated: int
    is_owed: bool

    def write(self, burst: Burst) -> None:
        """Take updates to send at once; may pause the follower before it returns, but takes them all. Never waits."""
        ...

    def queue(self, burst: Burst) -> None:
        """Do as ``write`` does, behind what the client has not taken yet."""
        ...

    def tell_skipped(self, count: int) -> None:
        """Tell the client, if it wants to know, that ``count`` updates since its last one are left out."""
        ...

    def abort(self) -> None:
        """End the connection at once."""
        ...


class Hub:
    """
    The followers of one thing in this process.

    Args:
        soon: Calls back in the next tick of the event loop.
        on_sent: Gets how many updates followers were given since the last call.
        on_conflated: Gets how many a follower was not given.
        on_failure: Gets a follower that could not be written to, and why; it follows no more.

    Attributes:
        newest: The whole state as of the last update; ``None`` before the first.
    """

    def __init__(
        self,
        soon: Callable[[Callable[[], None]], object],
        on_sent: Callable[[int], object],
        on_conflated: Callable[[int], object],
        on_failure: Callable[[Follower, Exception], object],
    ) -> None:
        self.newest: Burst | None = None
        self._soon = soon
        self._on_sent = on_sent
        self._on_conflated = on_conflated
        self._on_failure = on_failure
        self._everyone: dict[int, Follower] = {}
        self._open: dict[int, Follower] = {}
        # Published, and not yet being fanned out.
        self._waiting: deque[PreparedFrame] = deque()
        self._waiting_bytes = 0
        self._fanning_out: Iterator[None] | None = None
        # Who is to be told when the update of a number has been fanned out.
        self._curious: deque[tuple[int, Callable[[int], object]]] = deque()

    def __len__(self) -> int:
        return len(self._everyone)

    @property
    def followers(self) -> list[Follower]:
        """Those who follow, oldest first."""
        return list(self._everyone.values())

    @property
    def sequence(self) -> int:
        """Number of the last update; 0 before the first."""
        return self.newest.last if self.newest else 0

    def behind(self, follower: Follower) -> int:
        """How many updates ``follower`` was not given yet."""
        return self.sequence - follower.sequence

    @staticmethod
    def given(follower: Follower) -> int:
        """How many updates ``follower`` was given. Worked out, so that a delivery need not count."""
        return follower.sequence - follower.began - follower.conflated

    def join(self, follower: Follower, burst: Burst | None = None) -> None:
        """
        Give ``follower`` every update from now on, and first the newest state, if there is one.

        Args:
            follower: Who.
            burst: What it gets in place of the newest state, and is up to date with: the updates that it missed.
        """
        self._everyone[follower.peer.id] = follower
        if follower.flow is Flow.OPEN:
            self._open[follower.peer.id] = follower
        follower.sequence = follower.began = self.sequence
        if burst is None:
            self.repeat(follower)
        elif burst.frames:
            follower.began -= len(burst.frames)
            if follower.flow is Flow.OPEN:
                follower.write(burst)
            else:
                follower.queue(burst)  # it was promised
            self._on_sent(len(burst.frames))

    def leave(self, follower: Follower) -> None:
        """Give ``follower`` nothing more."""
        if follower.flow is Flow.PAUSED:
            self._skip(follower, self.behind(follower))
        follower.flow = Flow.CLOSING
        self._everyone.pop(follower.peer.id, None)
        self._open.pop(follower.peer.id, None)

    def pause(self, follower: Follower) -> None:
        """Spare ``follower``: its client reads more slowly than updates come."""
        if follower.flow is Flow.OPEN:
            follower.flow = Flow.PAUSED
            self._open.pop(follower.peer.id, None)

    def resume(self, follower: Follower) -> None:
        """Give ``follower`` the newest state instead of what it missed, and every update from now on."""
        if follower.flow is not Flow.PAUSED:
            return
        follower.flow = Flow.OPEN
        self._open[follower.peer.id] = follower
        if self.newest and (follower.is_owed or follower.sequence < self.sequence - len(self._waiting)):
            self._on_sent(self._renew(follower))

    def repeat(self, follower: Follower) -> None:
        """Give ``follower`` the newest state, although it may have it. One that is paused gets it on resuming."""
        if self.newest is None:
            return
        follower.is_owed = True
        if follower.flow is Flow.OPEN:
            self._on_sent(self._renew(follower))

    def publish(self, step: PreparedFrame, whole: PreparedFrame | None = None, advance: int = 1) -> None:
        """
        Have an update given to every follower, together with what else is published in this tick.

        Args:
            step: For those who have all before it.
            whole: For all others; ``None``: the same for them.
            advance: By how many its number is larger. With more than one, nobody has all before it.
        """
        self.newest = Burst((whole or step,), self.sequence + advance)
        if advance > 1:
            self._waiting.clear()
            self._waiting_bytes = 0
        self._waiting.append(step)
        self._waiting_bytes += step.size
        while len(self._waiting) > 1 and self._waiting_bytes > MAX_WAITING_BYTES:
            self._waiting_bytes -= self._waiting.popleft().size
        if self._fanning_out is None:
            self._fanning_out = self._fan_out()
            self._soon(self._continue)

    def when_given(self, tell: Callable[[int], object]) -> None:
        """
        Have ``tell`` called, with how many followers were written to, once all that is published was fanned out.

        That is at once, with none, if nothing waits. Those who are paused are not waited for.
        """
        if self._fanning_out is None:
            tell(0)
        else:
            self._curious.append((self.sequence, tell))

    def _continue(self) -> None:
        assert self._fanning_out is not None
        for _ in self._fanning_out:
            self._soon(self._continue)
            return
        self._fanning_out = None

    def _fan_out(self) -> Iterator[None]:
        """Give everyone what waits, until nothing does; a step is a slice."""
        while self._waiting:
            burst = Burst(tuple(self._waiting), self.sequence)
            self._waiting.clear()
            self._waiting_bytes = 0
            slice_size = max(1, min(SLICE_WRITES, SLICE_BYTES // burst.size))
            everyone = list(self._open.values())
            for begin in range(0, len(everyone), slice_size):
                self._on_sent(self._give_all(everyone[begin : begin + slice_size], burst))
                if begin + slice_size < len(everyone):
                    yield
            self._tell_given(burst.last, len(everyone))
            if everyone:
                yield

    def _tell_given(self, last: int, count: int) -> None:
        while self._curious and self._curious[0][0] <= last:
            _, tell = self._curious.popleft()
            tell(count)

    def _give_all(self, followers: Iterable[Follower], burst: Burst) -> int:
        # One loop without calls but the write: what is done here is done for every delivery.
        sent, last, count = 0, burst.last, len(burst.frames)
        for follower in followers:
            if follower.flow is not Flow.OPEN:
                continue
            behind = last - follower.sequence
            try:
                if behind == count:  # as nearly always
                    follower.sequence = last
                    follower.write(burst)
                    sent += count
                else:
                    sent += self._catch_up(follower, burst, behind)
            except Exception as error:
                # Whatever is wrong with one must not keep the update from the others.
                self.leave(follower)
                self._on_failure(follower, error)
        return sent

    def _catch_up(self, follower: Follower, burst: Burst, behind: int) -> int:
        if behind <= 0:  # it joined or resumed meanwhile
            return 0
        if behind < len(burst.frames):
            burst = burst.newest(behind)
        elif behind > len(burst.frames):
            return self._renew(follower)
        follower.sequence = burst.last
        follower.write(burst)
        return len(burst.frames)

    def _renew(self, follower: Follower) -> int:
        """Give the newest state, whole, in place of all that is missing before it."""
        assert self.newest is not None  # somebody is behind it
        behind = self.behind(follower)
        skipped = max(0, behind - 1)
        if skipped and (self.given(follower) or not follower.is_owed):
            follower.tell_skipped(skipped)
            if follower.flow is not Flow.OPEN:  # telling was too much: on resuming it is told again, with the rest
                return 0
        self._skip(follower, skipped)
        follower.sequence = self.newest.last
        follower.began -= not behind
        follower.is_owed = False
        follower.write(self.newest)
        return 1

    def _skip(self, follower: Follower, skipped: int) -> None:
        follower.sequence += skipped
        follower.conflated += skipped
        self._on_conflated(skipped)


def slices(all_of_them: Iterable[T]) -> Iterator[list[T]]:
    """Give what is done without letting anybody else have a turn, SLICE_WRITES at a time."""
    rest = iter(list(all_of_them))
    while few := list(itertools.islice(rest, SLICE_WRITES)):
        yield few
