"""Who joins, comes back or asks is given the newest, or what it missed."""

import pytest
from gateway.burst import Burst
from gateway.hub import Peer
from reportcast.contracts.frames import PreparedFrame

from tests.support.hub_world import Reader, World


def test_who_joins_is_given_the_newest() -> None:
    """Also while it still waits to be fanned out; then not a second time."""
    world = World()
    world.publish(3)

    reader = world.join()
    world.ticks.run()

    assert reader.received == [3]


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
