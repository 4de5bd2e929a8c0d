"""Which hop is named, when, and what makes it good again."""

import datetime
from collections.abc import Callable

import pytest
from gateway.probe import BACK_S, OPEN_S, STALL_S, Hop, Probe, RoundTrip, State, Upstream, Verdict
from msgspec.structs import replace
from reportcast.contracts.canary import called_off
from reportcast.contracts.messages import Source, SourceState
from reportcast.contracts.position import Position

EPOCH, OTHER_EPOCH = "1b65fea20ca22296", "2b65fea20ca22296"
EVERY_S = 2.0
STEP_S = 0.5
NAMED_WITHIN_S = 10.0
HEARTBEAT_S = 6.25
NOW = datetime.datetime(2026, 11, 28, 12, tzinfo=datetime.UTC)
LIVE = Source(SourceState.LIVE, "2026-11-28T12:00:00.000Z", expected_every_s=EVERY_S)
OVERDUE = replace(LIVE, state=SourceState.OVERDUE, reason="no report came when it was due")


class Way:
    """
    All hops, each of which can be broken, and a probe that looks twice a second.

    The file changes every EVERY_S; a watcher whose file does not change says so after 3 s, and then every HEARTBEAT_S.
    """

    def __init__(self, every_s: float = EVERY_S) -> None:
        self.now_s = 1000.0
        self.broken: set[Hop] = set()
        self.is_slow = False
        self.is_breaking = False
        self.source: Source | None = None
        self.position: Position | None = None
        self.heard_at: datetime.datetime | None = None
        self.probe = Probe(self.now_s)
        self.verdict = Verdict(State.WAITING)
        self.is_open = False
        self._epoch, self._offset = EPOCH, 0
        self._every_s = every_s
        self._written_s = self._said_s = -1000.0

    def go(self, seconds: float) -> Verdict:
        """Let so much time pass."""
        for _ in range(round(seconds / STEP_S)):
            self.now_s += STEP_S
            self._watch()
            self._serve()
            upstream = Upstream(Hop.BROKER not in self.broken, self.source, self.position, self.heard_at)
            self.verdict = self.probe.judge(upstream, self.now_s)
        return self.verdict

    def named_after_s(self, hop: Hop) -> float:
        """Let time pass until ``hop`` is named; give how much it was. No other is named before."""
        began_s = self.now_s
        while (verdict := self.go(STEP_S)).hop is None:
            assert self.now_s - began_s < 100
        assert verdict.hop is hop
        return self.now_s - began_s

    def restart_broker(self) -> None:
        """Have it lose its data."""
        self._epoch, self._offset = OTHER_EPOCH, 0
        self.source = None

    def _watch(self) -> None:
        if self.broken & {Hop.BROKER, Hop.WATCHER}:
            return
        if Hop.FILE not in self.broken and self.now_s - self._written_s >= self._every_s:
            self._written_s, self._offset = self.now_s, self._offset + 1
            self.position = Position(self._epoch, self._offset)
            self._say(replace(LIVE, expected_every_s=self._every_s))
        elif self.now_s - self._written_s > self._every_s + 1 and self.source != OVERDUE:
            self._say(OVERDUE)
        elif self.now_s - self._said_s >= HEARTBEAT_S and self.source:
            self._say(self.source)

    def _say(self, source: Source) -> None:
        self.source, self._said_s = source, self.now_s
        self.heard_at = NOW + datetime.timedelta(seconds=self.now_s)

    def _serve(self) -> None:
        works = Hop.WEBSOCKET not in self.broken
        if works and not self.is_open:
            self.probe.opened(self.now_s)
        elif not works:
            self.probe.closed("it was refused", self.now_s)
        self.is_open = works
        if works and self.is_breaking:
            self.probe.closed("what came is not the canary", self.now_s + STEP_S / 5)
            self.is_open = False
        elif works and not self.is_slow and self.position:
            self.probe.returned(self.position, RoundTrip(NOW, 0.01), self.now_s)


@pytest.fixture
def way() -> Way:
    """Give one that works."""
    works = Way()
    assert works.go(5) == Verdict(State.UP)
    return works


def test_all_is_well(way: Way) -> None:
    """For ever, with the last round trip."""
    for _ in range(100):
        assert way.go(STEP_S) == Verdict(State.UP)
    assert way.probe.last == RoundTrip(NOW, 0.01)


@pytest.mark.parametrize("hop", Hop)
@pytest.mark.parametrize("phase_s", [0.0, 0.5, 1.0, 1.5])
def test_the_hop_that_is_broken_is_named(way: Way, hop: Hop, phase_s: float) -> None:
    """Within 10 s, and no other; it stays so for as long as that lasts, and is good again soon after."""
    way.go(phase_s)
    way.broken = {hop}

    assert way.named_after_s(hop) <= NAMED_WITHIN_S

    for _ in range(200):
        assert way.go(STEP_S).hop is hop
    assert way.verdict.reason
    way.broken = set()
    assert way.go(3) == Verdict(State.UP)
    for _ in range(50):
        assert way.go(STEP_S) == Verdict(State.UP)


@pytest.mark.parametrize("hop", Hop)
def test_what_is_broken_from_the_beginning(hop: Hop) -> None:
    """Is named within 10 s too, but where nobody ever had a canary there is none to miss."""
    way = Way()
    way.broken = {hop}
    if hop in (Hop.FILE, Hop.WATCHER):
        way.source = LIVE  # of a watcher that was there before

    assert way.named_after_s(hop) <= NAMED_WITHIN_S


def test_a_canary_that_is_seldom() -> None:
    """Every minute: the watcher's silence is noticed all the same."""
    way = Way(every_s=60)
    assert way.go(150) == Verdict(State.UP)

    way.broken = {Hop.WATCHER}

    assert way.named_after_s(Hop.WATCHER) <= NAMED_WITHIN_S


def test_a_watcher_that_dies_while_its_file_is_broken(way: Way) -> None:
    """First the one, then the other is named."""
    way.broken = {Hop.FILE}
    assert way.go(30).hop is Hop.FILE

    way.broken = {Hop.FILE, Hop.WATCHER}

    assert way.go(NAMED_WITHIN_S).hop is Hop.WATCHER


def test_a_watcher_that_publishes_nothing(way: Way) -> None:
    """Although it says that all is well."""
    for _ in range(round(NAMED_WITHIN_S / STEP_S)):
        way.broken = {Hop.WATCHER}
        way.source, way.heard_at = LIVE, NOW + datetime.timedelta(seconds=way.now_s)
        way.go(STEP_S)

    assert way.verdict.hop is Hop.WATCHER
    assert "has published no canary" in (way.verdict.reason or "")


def test_a_client_that_is_given_nothing(way: Way) -> None:
    """The WebSocket is open, and what comes from the broker does not come out of it."""
    way.is_slow = True

    assert way.named_after_s(Hop.WEBSOCKET) <= NAMED_WITHIN_S

    assert "was not given to a client" in (way.verdict.reason or "")
    way.is_slow = False
    assert way.go(STEP_S) == Verdict(State.UP)


def test_one_canary_that_is_skipped(way: Way) -> None:
    """As to a slow client: what counts is that a newer one comes."""
    way.is_slow = True
    way.go(EVERY_S)
    way.is_slow = False
    assert way.position
    way.position = Position(EPOCH, way.position.offset + 1)

    assert way.go(NAMED_WITHIN_S) == Verdict(State.UP)


def test_the_reason_of_a_websocket_that_cannot_be_opened(way: Way) -> None:
    """Is told."""
    way.broken = {Hop.WEBSOCKET}
    way.named_after_s(Hop.WEBSOCKET)

    assert way.verdict.reason == "no WebSocket to this gateway's own port for 2 s: it was refused"


def test_a_websocket_that_is_opened_again(way: Way) -> None:
    """In time: nothing is said of it."""
    way.broken = {Hop.WEBSOCKET}
    way.go(OPEN_S - STEP_S)
    way.broken = set()

    assert way.go(STEP_S) == Verdict(State.UP)


def test_a_websocket_that_opens_and_breaks_again(way: Way) -> None:
    """Twice a second, for ever: that nothing comes back over it counts, not that it could be opened."""
    way.is_breaking = True

    assert way.named_after_s(Hop.WEBSOCKET) <= NAMED_WITHIN_S
    for _ in range(100):
        assert way.go(STEP_S).hop is Hop.WEBSOCKET

    way.is_breaking = False
    assert way.go(2).state is State.UP


def test_one_that_breaks_from_the_beginning() -> None:
    """Is not waited for for ever, whether there are canaries or none."""
    with_canaries, without = Way(), Way()
    without.broken = {Hop.FILE, Hop.WATCHER}
    for way in (with_canaries, without):
        way.is_breaking = True

        assert way.named_after_s(Hop.WEBSOCKET) <= NAMED_WITHIN_S


def test_its_own_hop_comes_first(way: Way) -> None:
    """What a gateway does not do itself decides whether it is ready, whatever else does not work."""
    way.broken = {Hop.BROKER}
    assert way.go(5).hop is Hop.BROKER

    way.broken = {Hop.BROKER, Hop.WEBSOCKET}

    assert way.go(5).hop is Hop.WEBSOCKET


@pytest.mark.parametrize(
    "end",
    [lambda way: None, lambda way: setattr(way, "source", called_off(NOW))],
    ids=["nobody-ever-had-one", "the-last-word"],
)
def test_no_canary(end: Callable[[Way], None]) -> None:
    """Is not waited for; the gateway's own hop is looked at all the same."""
    way = Way()
    way.broken = {Hop.WATCHER}
    end(way)
    for _ in range(100):
        assert way.go(STEP_S) == Verdict(State.OFF)

    way.broken |= {Hop.WEBSOCKET}

    assert way.named_after_s(Hop.WEBSOCKET) <= NAMED_WITHIN_S


def test_a_canary_that_begins() -> None:
    """Is waited for from then on."""
    way = Way()
    way.broken = {Hop.WATCHER}
    assert way.go(20) == Verdict(State.OFF)
    way.broken, way.is_slow = set(), True
    assert way.go(1) == Verdict(State.WAITING)

    way.is_slow = False

    assert way.go(STEP_S) == Verdict(State.UP)


def test_a_broker_that_lost_its_data(way: Way) -> None:
    """The canary goes on in another epoch; if it does not, that is known although the broker knows of none."""
    way.broken = {Hop.BROKER}
    way.go(5)
    way.restart_broker()
    way.broken = set()
    assert way.go(5) == Verdict(State.UP)

    way.broken = {Hop.BROKER}
    way.go(5)
    way.restart_broker()
    way.broken = {Hop.WATCHER}

    assert way.go(NAMED_WITHIN_S).hop is Hop.WATCHER


def test_a_probe_that_was_held_up_itself(way: Way) -> None:
    """Does not say of others that they are late."""
    way.now_s += 60
    way.broken = {Hop.WATCHER}  # what has come meanwhile was not read yet

    assert way.go(STALL_S) == Verdict(State.UP)
    way.broken = set()
    assert way.go(5) == Verdict(State.UP)


def test_a_canary_that_was_owed_when_another_epoch_began(way: Way) -> None:
    """Will never come back, and is not waited for: the others do."""
    way.broken = {Hop.WEBSOCKET}
    way.go(3)  # one comes meanwhile, and is owed
    way.restart_broker()
    way.go(3)
    way.broken = set()

    way.go(BACK_S + 3)

    for _ in range(50):
        assert way.go(STEP_S) == Verdict(State.UP)
