"""The hub, with everything that can happen between two slices of a fan-out, in any order."""

from gateway import hub as hub_module
from gateway.hub import Flow
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from tests.support.hub_world import Reader, World


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
