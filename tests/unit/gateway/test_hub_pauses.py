"""Who is paused is spared, and then given the newest."""

from gateway.burst import Burst
from gateway.hub import Flow, Peer
from reportcast.contracts.frames import PreparedFrame

from tests.support.hub_world import Reader, World


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
