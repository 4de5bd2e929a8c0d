"""
The recovery join, in every order in which its steps and everything else can happen.

A real broker, relay, replica and audience are driven step by step: publications, messages that arrive late or are
lost without a sign, joining (subscribe, read, apply what has come since), changes that are no longer kept, a Redis that
comes back with older data, with none, or as it was; and clients that come, go, and come back with their position.
Whatever the order, what a client holds at a position is what was published there, nothing is applied across a gap, and
once the dust has settled everybody has the newest.
"""

import asyncio
import dataclasses
import hashlib
import json
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any

import structlog
from gateway.audience import ReportAudience
from gateway.audiences import Audiences
from gateway.burst import Burst
from gateway.compressor import Compressor
from gateway.hub import Flow, Hub, Peer
from gateway.metrics import GatewayMetrics
from gateway.relay import Relay
from gateway.replica import Replica
from gateway.traces import Traces
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace
from reportcast.broker.base import ChannelState, DeltaLimits
from reportcast.broker.memory import MemoryBroker
from reportcast.contracts.clock import utc_now
from reportcast.contracts.delta import apply
from reportcast.contracts.messages import Message, Snapshot
from reportcast.contracts.position import Continuity, Position
from reportcast.telemetry.health import Health
from reportcast.telemetry.metrics import new_registry

from tests.support.reports import change, publication
from tests.support.running import CHANNEL


@dataclasses.dataclass(slots=True, eq=False)
class Client:
    """Follows as docs/protocol.md says, Version 1; ``truth`` is what was published at each position."""

    peer: Peer
    truth: dict[Position, str]
    flow: Flow = Flow.OPEN
    sequence: int = 0
    began: int = 0
    conflated: int = 0
    is_owed: bool = False
    position: Position | None = None
    body: bytes = b""
    owed: set[int] = dataclasses.field(default_factory=set)

    def write(self, burst: Burst) -> None:
        assert self.flow is Flow.OPEN
        for frame in burst.frames:
            self.take(frame.payload)

    def queue(self, burst: Burst) -> None:
        assert self.flow is Flow.PAUSED
        for frame in burst.frames:
            self.take(frame.payload)

    def take(self, payload: bytes) -> None:
        frame = json.loads(payload)
        position = Position(frame["epoch"], frame["offset"])
        if frame["type"] == "snapshot":
            self.body = payload.partition(b'"data":')[2].removesuffix(b"}")
            assert not self.owed, "it was promised the changes, not the whole"
        else:
            assert self.position is not None
            continuity = self.position.classify(position)
            if continuity is Continuity.DUPLICATE:
                return
            assert continuity is Continuity.NEXT, "a change across a gap"
            assert frame["base"] == digest(self.body), "a change of something else"
            self.body = apply(payload.partition(b'"changes":')[2].removesuffix(b"}"), self.body)
            self.owed.discard(position.offset)
        self.position = position
        assert digest(self.body) == frame["digest"] == self.truth[position]

    def tell_skipped(self, count: int) -> None:
        self.owed.clear()

    def abort(self) -> None:
        raise NotImplementedError


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


class Recovery(RuleBasedStateMachine):
    """See above."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.broker = MemoryBroker(lambda: 0.0, delta_limits=DeltaLimits(max_deltas=4))
        self.truth: dict[Position, str] = {}
        self.marks = 0
        self.due: list[Callable[[], None]] = []
        # What was published since the relay subscribed and did not arrive yet; `None` while it is not subscribed.
        self.link: deque[Message] | None = None
        self.has_read = False
        self.backup: tuple[ChannelState, int] | None = None
        self.clients: list[Client] = []
        self.away: list[Client] = []
        self.ids = 0
        metrics, health = GatewayMetrics(new_registry()), Health()
        compressor = Compressor()
        make_hub: Any = lambda: Hub(self._soon, lambda count: None, lambda count: None, self._failed)  # noqa: E731
        self.replica = Replica()
        self.audiences = Audiences(CHANNEL, make_hub, compressor, lambda: 0.0)
        traces = Traces(CHANNEL, metrics, lambda: None)
        log = structlog.get_logger("relay")
        self.relay = Relay(
            self.broker, CHANNEL, self.replica, self.audiences, compressor, metrics, health, utc_now, traces, log
        )

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            self.loop.close()

    def settle(self) -> None:
        """Nothing more goes wrong: everybody has to get the newest."""
        self.lose_link()
        self.publish(whole=False)  # the watcher brings what is newest
        self.subscribe()
        self.read()
        self.turn()
        for client in self.clients:
            if client.flow is Flow.PAUSED:
                self.audience.hub.resume(client)
        self.turn()
        for client in self.clients:
            assert client.position == self._stored().position
            assert not client.owed

    @property
    def audience(self) -> ReportAudience:
        return self.audiences.whole

    @initialize()
    def begin(self) -> None:
        self.publish_several(2, whole=False)
        self.catch_up()
        self.join()

    @rule(count=st.integers(1, 3), whole=st.sampled_from([False, False, False, True]))
    def publish_several(self, count: int, whole: bool) -> None:
        for _ in range(count):
            self.publish(whole)

    @rule()
    def catch_up(self) -> None:
        """All goes well for a while."""
        self.subscribe()
        if not self.has_read:
            self.read()
        while self.link:
            self.arrive()
        self.turn()

    def publish(self, whole: bool) -> None:
        """The watcher publishes a change of what the broker holds, or the whole."""
        self.marks += 1
        snapshot = self.broker._channel(CHANNEL).state.snapshot
        after = publication(self.marks)
        if snapshot is not None and not whole:
            before = json.loads(snapshot.body)["repos"][0]["name"].removeprefix("repo-")
            after = change(int(before), self.marks)
            assert after.base == snapshot.digest
        self._deliver_to_link(lambda: self.broker.publish(CHANNEL, after))
        newest = self._stored()
        assert newest.position not in self.truth, "a position stands for two contents"
        self.truth[newest.position] = newest.digest

    @rule()
    def subscribe(self) -> None:
        if self.link is None:
            self.link, self.has_read = deque(), False

    @precondition(lambda self: self.link is not None and not self.has_read)
    @rule()
    def read(self) -> None:
        self.has_read = True
        self._run(self._catch_up())

    @precondition(lambda self: self.link and self.has_read)
    @rule()
    def arrive(self) -> None:
        assert self.link
        self.relay._fruitless_s = float("-inf")
        self._run(self.relay._take(self.link.popleft(), utc_now()))

    @precondition(lambda self: self.link)
    @rule()
    def lose(self) -> None:
        """A message is lost, and nobody notices."""
        assert self.link
        self.link.popleft()

    @rule()
    def lose_link(self) -> None:
        self.link = None

    @rule()
    def back_up(self) -> None:
        channel = self.broker._channel(CHANNEL)
        self.backup = channel.state, channel.offset

    @rule(how=st.sampled_from(["as it was", "older", "empty"]))
    def restart_broker(self, how: str) -> None:
        """Another server: subscriptions end, and what it has may be old. It numbers in another epoch."""
        self.lose_link()
        channel = self.broker._channel(CHANNEL)
        if how == "empty":
            channel.state, channel.offset = ChannelState(), 0
        elif how == "older" and self.backup:
            channel.state, channel.offset = self.backup
        channel.deltas.clear()  # it goes on with a whole report
        channel.state = dataclasses.replace(channel.state, deltas=())
        channel.epoch = secrets.token_hex(8)
        if channel.state.snapshot:  # what publish.lua compares is the server, not the content: the next is whole
            channel.state = dataclasses.replace(
                channel.state, snapshot=replace(channel.state.snapshot, digest="0" * 64)
            )
            self.publish(whole=True)

    @rule()
    def turn(self) -> None:
        """The event loop turns until nothing waits."""
        while self.due:
            due, self.due = self.due, []
            for callback in due:
                callback()

    @rule()
    def half_turn(self) -> None:
        due, self.due = self.due, []
        for callback in due:
            callback()

    @rule()
    def join(self) -> None:
        self._join(Client(self._peer(), self.truth))

    @precondition(lambda self: self.clients)
    @rule(data=st.data())
    def go_away(self, data: st.DataObject) -> None:
        client = data.draw(st.sampled_from(self.clients))
        self.audience.hub.leave(client)
        self.clients.remove(client)
        self.away.append(client)

    @precondition(lambda self: self.clients)
    @rule(data=st.data(), whole=st.integers(0, 4), count=st.integers(1, 6), arrives=st.booleans())
    def miss(self, data: st.DataObject, whole: int, count: int, arrives: bool) -> None:
        """A client is away while some changes come, one of them perhaps whole."""
        self.go_away(data)
        for number in range(count):
            self.publish(whole=number == whole)
        if arrives:
            self.catch_up()
        self.come_back(data)

    @precondition(lambda self: self.away)
    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        client = data.draw(st.sampled_from(self.away))
        self.away.remove(client)
        self._join(Client(self._peer(), self.truth, position=client.position, body=client.body))

    @precondition(lambda self: self.clients)
    @rule(data=st.data(), slow=st.booleans())
    def pause_or_resume(self, data: st.DataObject, slow: bool) -> None:
        client = data.draw(st.sampled_from(self.clients))
        if slow:
            self.audience.hub.pause(client)
        else:
            self.audience.hub.resume(client)

    @invariant()
    def the_replica_holds_what_was_published(self) -> None:
        held = self.replica.snapshot
        if held is not None:
            assert digest(held.body) == self.truth[held.position]

    def _join(self, client: Client) -> None:
        burst = None
        if client.position is not None:
            burst, _ = self.audience.missed_since(client.position)
            newest = self.audience.position
            if burst is not None and newest is not None:
                client.owed = set(range(client.position.offset + 1, newest.offset + 1))
        self.clients.append(client)
        self.audience.hub.join(client, burst)
        assert not client.owed, "recovered, but not all came"

    def _peer(self) -> Peer:
        self.ids += 1
        return Peer(self.ids, CHANNEL, "", 0, "", 0.0)

    def _stored(self) -> Snapshot:
        snapshot = self.broker._channel(CHANNEL).state.snapshot
        assert snapshot is not None
        return snapshot

    def _deliver_to_link(self, publish: Callable[[], Any]) -> None:
        async def published() -> list[Message]:
            async with self.broker.subscribe(CHANNEL):
                queue = next(reversed(self.broker._messages._queues))
                await publish()
                return [queue.get_nowait() for _ in range(queue.qsize())]

        messages = self._run(published())
        if self.link is not None:
            self.link.extend(messages)

    async def _catch_up(self) -> None:
        await self.relay._catch_up(await self.broker.state(CHANNEL))

    def _run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def _soon(self, callback: Callable[[], None]) -> None:
        self.due.append(callback)

    @staticmethod
    def _failed(follower: object, error: Exception) -> None:
        raise error


TestRecovery = Recovery.TestCase
TestRecovery.settings = settings(max_examples=500, stateful_step_count=50, deadline=None)
