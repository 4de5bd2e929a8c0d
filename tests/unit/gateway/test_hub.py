"""The fan-out, with everything that can happen between two of its slices."""

import dataclasses
from collections.abc import Callable

import pytest
from gateway import hub as hub_module
from gateway.burst import Burst
from gateway.hub import MAX_WAITING_BYTES, Flow, Hub, Peer
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
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


def test_everyone_is_given_every_update() -> None:
    """In order, and each once."""
    world = World()
    readers = [world.join() for _ in range(3)]
    for _ in range(4):
        world.publish()
        world.ticks.run()

    assert [reader.received for reader in readers] == [[1, 2, 3, 4]] * 3
    assert world.sent == 12


def test_the_end_of_a_fan_out_is_told() -> None:
    """When all who can take it have it, with how many those are; of each update for itself."""
    world = World()
    readers = [world.join() for _ in range(2 * hub_module.SLICE_WRITES + 1)]
    paused = world.join(Flow.PAUSED)
    told: list[tuple[int, int]] = []
    for publish in (False, True, True):
        world.publish(publish)
        world.hub.when_given(lambda count: told.append((count, len(readers[-1].received))))
        world.ticks.turn()
    world.ticks.run()

    assert told == [(0, 0), (len(readers), 1), (len(readers), 2)]
    assert paused.received == []


def test_the_end_of_a_fan_out_to_nobody_is_told() -> None:
    """In the next tick, as any other."""
    world = World()
    told: list[int] = []
    world.publish()
    world.hub.when_given(told.append)
    assert told == []
    world.ticks.run()

    assert told == [0]


def test_who_joins_is_given_the_newest() -> None:
    """Also while it still waits to be fanned out; then not a second time."""
    world = World()
    world.publish(3)

    reader = world.join()
    world.ticks.run()

    assert reader.received == [3]


def test_the_updates_of_one_tick_are_joined() -> None:
    """One write for all of them, and everybody gets the same bytes."""
    world = World()
    reader = world.join()
    world.publish(8)
    world.ticks.run()

    assert reader.received == list(range(1, 9))
    assert reader.room == 1_000_000 - 1


def test_a_fan_out_goes_in_slices() -> None:
    """Everybody else has a turn after each; updates that come meanwhile follow, joined."""
    world = World()
    readers = [world.join() for _ in range(1000)]
    world.publish()
    world.ticks.turn()
    assert sum(bool(reader.received) for reader in readers) == hub_module.SLICE_WRITES
    world.publish(2)

    world.ticks.run()

    assert all(reader.received == [1, 2, 3] for reader in readers)


def test_a_large_update_is_given_to_fewer_at_a_time() -> None:
    """A slice is bounded in bytes, too."""
    world = World()
    readers = [world.join() for _ in range(9)]
    world.publish(padding=" " * hub_module.SLICE_BYTES)

    assert world.ticks.run() >= len(readers)
    assert all(reader.received == [1] for reader in readers)


def test_who_is_paused_is_spared_and_then_given_the_newest() -> None:
    """What it missed is counted, and it is told before the newest comes."""
    world = World()
    slow, quick = world.join(), world.join()
    slow.room = 1
    for _ in range(5):
        world.publish()
        world.ticks.run()
    assert (slow.received, slow.flow, world.hub.behind(slow)) == ([1], Flow.PAUSED, 4)
    slow.room = 10

    world.hub.resume(slow)

    assert (slow.received, slow.told, slow.conflated, world.conflated) == ([1, 5], [3], 3, 3)
    assert quick.received == [1, 2, 3, 4, 5]
    world.publish()
    world.ticks.run()
    assert slow.received == [1, 5, 6]


def test_who_is_paused_by_being_told_gets_the_newest_later() -> None:
    """The note was the last that the kernel took: it comes again, true by then; nothing is counted twice."""
    world = World()
    slow = world.join()
    slow.room = 1
    world.publish(1)
    world.ticks.run()
    world.publish(3)
    world.ticks.run()
    slow.room = 1
    world.hub.resume(slow)
    assert (slow.received, slow.told) == ([1], [2])
    slow.room = 10

    world.hub.resume(slow)

    assert (slow.received, slow.told, slow.conflated) == ([1, 4], [2, 2], 2)


def test_what_a_paused_one_missed_is_counted_when_it_leaves() -> None:
    """It never got them."""
    world = World()
    slow = world.join()
    slow.room = 1
    world.publish()
    world.ticks.run()
    world.publish(7)

    world.hub.leave(slow)

    assert (slow.conflated, len(world.hub)) == (7, 0)


def test_what_waits_is_bounded() -> None:
    """When updates come faster than they can be fanned out, everybody gets the newest in place of them, counted."""
    world = World()
    reader = world.join()
    world.publish(5, padding=" " * (MAX_WAITING_BYTES // 3))
    world.ticks.run()

    assert reader.received == [5]
    assert (reader.conflated, reader.told) == (4, [4])


def test_a_jump_brings_everybody_the_whole() -> None:
    """Nobody has what comes before it, whether they wait, joined meanwhile or are up to date."""
    world = World()
    first = world.join()
    world.publish()
    second = world.join()
    world.jump(3)
    third = world.join()
    world.publish()
    world.ticks.run()

    assert (first.received, second.received, third.received) == ([5], [1, 5], [4, 5])
    assert (first.told, second.told, third.told) == ([4], [3], [])


@pytest.mark.parametrize("count", [0, 2])
def test_who_comes_back_is_given_what_it_missed(count: int) -> None:
    """In place of the whole, and everything from then on; also while a fan-out waits."""
    world = World()
    world.publish(5)
    reader = Reader(Peer(1, "audit", "", 0, "", 0.0), world.hub, base=5 - count)
    missed = [PreparedFrame(str(number).encode()) for number in range(6 - count, 6)]
    world.hub.join(reader, Burst(missed, 5))
    world.ticks.run()
    world.publish()
    world.ticks.run()

    assert reader.received == [*range(6 - count, 6), 6]
    assert (world.hub.given(reader), world.sent) == (count + 1, count + 1)


def test_who_comes_back_and_is_paused() -> None:
    """Is given what it was promised, behind what its client has not taken yet."""
    world = World()
    world.publish(5)
    reader = Reader(Peer(1, "audit", "", 0, "", 0.0), world.hub, flow=Flow.PAUSED)
    world.hub.join(reader, Burst([PreparedFrame(b"4"), PreparedFrame(b"5")], 5))
    world.ticks.run()
    world.hub.resume(reader)

    assert (reader.received, reader.told, world.hub.given(reader)) == ([4, 5], [], 2)


def test_who_joins_paused_is_given_the_whole() -> None:
    """Also when a step waits to be fanned out, which it could not apply."""
    world = World()
    world.publish(1)
    world.ticks.run()
    world.publish(1)
    reader = Reader(Peer(1, "audit", "", 0, "", 0.0), world.hub, flow=Flow.PAUSED)
    world.hub.join(reader)
    world.publish(1)
    world.hub.resume(reader)
    assert (reader.received, reader.told) == ([3], [])
    world.ticks.run()

    assert (reader.received, world.hub.given(reader), reader.conflated) == ([3], 1, 0)


def test_an_update_larger_than_the_bound_is_given() -> None:
    """The newest always is."""
    world = World()
    reader = world.join()
    world.publish(2, padding=" " * (MAX_WAITING_BYTES + 1))
    world.ticks.run()

    assert reader.received == [2]


def test_who_asks_is_given_the_newest_again() -> None:
    """At once, or on resuming; who has not got it yet, once."""
    world = World()
    reader = world.join()
    world.hub.repeat(reader)
    world.publish()
    world.hub.repeat(reader)
    world.ticks.run()
    assert reader.received == [1]

    world.hub.repeat(reader)

    assert reader.received == [1, 1]
    world.hub.pause(reader)
    world.hub.repeat(reader)
    world.hub.resume(reader)
    assert reader.received == [1, 1, 1]
    assert world.conflated == 0


def test_one_that_fails_fails_alone() -> None:
    """It is given nothing more; the others are given this update and those after it."""
    world = World()
    bad, good = world.join(), world.join()
    bad.broken = True
    for _ in range(3):
        world.publish()
        world.ticks.run()

    assert good.received == [1, 2, 3]
    assert (world.failed, bad.flow, bad.received, len(world.hub)) == ([bad], Flow.CLOSING, [], 1)


@pytest.mark.parametrize("flow", [Flow.PAUSED, Flow.CLOSING])
def test_one_that_left_is_given_nothing(flow: Flow) -> None:
    """Whatever it was before, and although a fan-out is under way."""
    world = World()
    first, closing = world.join(), world.join()
    if flow is Flow.PAUSED:
        world.hub.pause(closing)
    world.publish()
    world.hub.leave(closing)
    world.hub.resume(closing)
    world.hub.pause(closing)
    world.ticks.run()

    assert (first.received, closing.received) == ([1], [])
    assert len(world.hub) == 1


class HubMachine(RuleBasedStateMachine):
    """
    Any order of publishing, jumping, joining, pausing, resuming, leaving and turns of the loop.

    What a reader was given is always in order and without repetition, and every update since it joined is accounted
    for: given, or counted as left out, or still to come.
    """

    readers = Bundle("readers")

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.limits = hub_module.SLICE_WRITES, hub_module.MAX_WAITING_BYTES
        hub_module.SLICE_WRITES, hub_module.MAX_WAITING_BYTES = 2, 40

    def teardown(self) -> None:
        for reader in self.world.readers:
            reader.room = 1_000_000
            self.world.hub.resume(reader)
        self.world.ticks.run()
        for reader in self.world.readers:
            if reader.flow is Flow.OPEN and self.world.published:
                assert reader.received[-1] == self.world.published
        hub_module.SLICE_WRITES, hub_module.MAX_WAITING_BYTES = self.limits

    @rule(target=readers, flow=st.sampled_from([Flow.OPEN, Flow.PAUSED]))
    def join(self, flow: Flow) -> Reader:
        return self.world.join(flow)

    @rule(count=st.integers(1, 3), padding=st.sampled_from(["", " " * 15]))
    def publish(self, count: int, padding: str) -> None:
        self.world.publish(count, padding)

    @rule(advance=st.integers(1, 4))
    def jump(self, advance: int) -> None:
        self.world.jump(advance)

    @rule()
    def turn(self) -> None:
        self.world.ticks.turn()

    @rule(reader=readers, room=st.integers(1, 2))
    def fills(self, reader: Reader, room: int) -> None:
        reader.room = room

    @rule(reader=readers, room=st.integers(1, 3))
    def resume(self, reader: Reader, room: int) -> None:
        if reader.flow is Flow.PAUSED:
            reader.room = room
            self.world.hub.resume(reader)

    @rule(reader=consumes(readers))
    def leave(self, reader: Reader) -> None:
        self.world.hub.leave(reader)

    @invariant()
    def nothing_is_given_twice_or_out_of_order(self) -> None:
        for reader in self.world.readers:
            assert reader.received == sorted(set(reader.received))

    @invariant()
    def everything_is_accounted_for(self) -> None:
        for reader in self.world.readers:
            if reader.flow is Flow.CLOSING:
                continue
            since_joining = len([number for number in reader.received if number > reader.joined_at])
            assert since_joining + reader.conflated + self.world.hub.behind(reader) == (
                self.world.published - reader.joined_at
            )
            assert self.world.hub.given(reader) == len(reader.received)


TestHub = HubMachine.TestCase
TestHub.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
