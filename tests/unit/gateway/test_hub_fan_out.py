"""The fan-out: everybody is given every update, in slices that are bounded."""

import pytest
from gateway import hub as hub_module
from gateway.hub import MAX_WAITING_BYTES, Flow

from tests.support.hub_world import World


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


def test_an_update_larger_than_the_bound_is_given() -> None:
    """The newest always is."""
    world = World()
    reader = world.join()
    world.publish(2, padding=" " * (MAX_WAITING_BYTES + 1))
    world.ticks.run()

    assert reader.received == [2]


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
