import dataclasses
import itertools
import math
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from reportcast.contracts.errors import ReportError, ReportMissing, ReportShapeError, ReportSyntaxError
from reportcast.contracts.report import Report, parse_report
from watcher.settle import BREATH_S, BRIEF_S, PATIENCE, QUIET_S, RELOOK_S, Decision, Pause, Settle, State

from tests.support.reports import audit_bytes, report

TORN = ReportSyntaxError("cut off")
WRONG = ReportShapeError("no list")
SETTLE_S, SWEEP_S = 2.0, 3.0


class Reader:
    """A settle whose readings take no time."""

    def __init__(self) -> None:
        self.settle = Settle(SETTLE_S, SWEEP_S)

    def read(
        self, content: Report | ReportError, fingerprint: object, now_s: float, is_closed: bool = True
    ) -> Decision:
        """Decide what a reading means."""
        return self.settle.decide(content, repr(fingerprint), now_s, now_s, is_closed)


def test_a_whole_report_is_published_at_once() -> None:
    """It parses and its writer has closed it: no waiting."""
    assert Reader().read(report(1), "f1", 0) is Decision.PUBLISH


def test_the_same_content_is_unchanged() -> None:
    """However often it is written."""
    reader = Reader()
    reader.read(report(1), "f1", 0)

    assert reader.read(report(1), "f2", 1, is_closed=False) is Decision.UNCHANGED
    assert reader.settle.published == report(1).digest


def test_a_whole_report_that_is_still_open_is_left_alone_first() -> None:
    """It may be old and new in one; each change starts the waiting again, and closing ends it."""
    reader = Reader()

    decisions = [
        reader.read(report(1), "f1", 0.000, is_closed=False),
        reader.read(report(2), "f2", 0.020, is_closed=False),
        reader.read(report(2), "f2", 0.040, is_closed=False),
        reader.read(report(2), "f2", 0.021 + QUIET_S, is_closed=False),
        reader.read(report(3), "f3", 0.100, is_closed=False),
        reader.read(report(3), "f3", 0.101, is_closed=True),
    ]

    assert decisions == [Decision.WAIT] * 3 + [Decision.PUBLISH, Decision.WAIT, Decision.PUBLISH]


def test_a_file_that_is_never_left_alone_is_published_all_the_same() -> None:
    """A writer that keeps it open and writes whole reports without pause is no reason to show nothing."""
    reader = Reader()
    moments = [number / 100 for number in range(int(PATIENCE * SETTLE_S * 100) + 1)]

    decisions = [reader.read(report(number), number, at_s, is_closed=False) for number, at_s in enumerate(moments)]

    assert decisions == [Decision.WAIT] * int(PATIENCE * SETTLE_S * 100) + [Decision.PUBLISH]


def test_a_torn_write_is_waited_for() -> None:
    """Each change of the file starts the waiting again; then the whole report is published."""
    reader = Reader()

    decisions = [reader.read(TORN, second, second) for second in range(10)]
    decisions.append(reader.read(report(1), "f10", 10))

    assert decisions == [Decision.WAIT] * 10 + [Decision.PUBLISH]


def test_a_writer_that_never_finishes_is_told_of() -> None:
    """Once each PATIENCE times settle_s, however often it touches the file."""
    reader = Reader()

    decisions = [reader.read(TORN, second, second) for second in range(24)]

    rejected = [second for second, decision in enumerate(decisions) if decision is Decision.REJECT]
    assert rejected == [10, 21]
    assert PATIENCE * SETTLE_S == 10
    assert set(decisions) == {Decision.WAIT, Decision.REJECT}


def test_a_writer_that_died_is_rejected_once() -> None:
    """Torn content that does not change for settle_s is what the file holds, and is said once."""
    reader = Reader()

    decisions = [reader.read(TORN, "f1", second) for second in (0, 1, 2, 3)]

    assert decisions == [Decision.WAIT, Decision.WAIT, Decision.REJECT, Decision.STILL_REJECTED]


def test_a_wrong_shape_is_rejected_at_once() -> None:
    """Valid JSON of the wrong shape is no unfinished write."""
    assert Reader().read(WRONG, "f1", 0) is Decision.REJECT


def test_the_good_report_comes_back_after_a_rejection() -> None:
    """The published content again is no new publication; the next rejection counts anew."""
    reader = Reader()
    reader.read(report(1), "f1", 0)

    decisions = [
        reader.read(WRONG, "f2", 1),
        reader.read(report(1), "f3", 2),
        reader.read(WRONG, "f4", 3),
    ]

    assert decisions == [Decision.REJECT, Decision.UNCHANGED, Decision.REJECT]


@pytest.mark.parametrize(
    ("content", "state", "pause"),
    [
        pytest.param(report(1), State.OPEN, Pause(BRIEF_S, QUIET_S), id="open"),
        pytest.param(TORN, State.TORN, Pause(BREATH_S, RELOOK_S), id="torn"),
        pytest.param(WRONG, State.SETTLED, Pause(0, SWEEP_S - 1), id="settled"),
    ],
)
def test_when_to_look_next(content: Report | ReportError, state: State, pause: Pause) -> None:
    """A sweep after the last reading, or soon where more is to come; then the file is read whatever it looks like."""
    settle = Settle(SETTLE_S, SWEEP_S)
    assert settle.must_read(0)
    settle.decide(content, "f1", 0, 0)

    assert settle.state is state
    assert settle.pause(1) == pause
    assert settle.must_read(1) is (state is not State.SETTLED)
    assert settle.must_read(SWEEP_S)


def test_a_slow_reading_gives_the_writer_twice_as_long() -> None:
    """A large file is not read for each of many small pieces."""
    settle = Settle(SETTLE_S, SWEEP_S)
    settle.decide(TORN, "f1", 0, 0.5)

    assert settle.pause(0.5) == Pause(1.0, RELOOK_S)


WHOLE = [audit_bytes(mark) for mark in range(4)]
BAD = b'{"timestamp": "2026-11-23T12:00:00Z", "repos": {}}'
TICK_S = 0.001


@dataclasses.dataclass
class Inode:
    """A file: its bytes, how often it was touched, and whether somebody writes to it."""

    content: bytes
    touched: int
    rest: Iterator[bytes] | None = None


class Producers(RuleBasedStateMachine):
    """
    Any interleaving of writers, lost events and time, against ``Settle`` driven as the lookout drives it.

    Writers truncate and write in pieces, replace by a rename, remove, touch, write what is no report, and die half way.
    Each of their steps gives an event, or the event is lost. What ``Settle`` publishes has to be what some writer meant
    to write, and once all is quiet it has to be the last whole content, within a sweep.
    """

    @initialize()
    def begin(self) -> None:
        """Begin with no file."""
        self.now_s = 0.0
        self.touches = 0
        self.file: Inode | None = None
        self.settle = Settle(SETTLE_S, SWEEP_S)
        self.hinted, self.is_closed = True, False
        self.deaf_until_s, self.wake_at_s = 0.0, 0.0
        self.looked_at: object = None
        self.published: list[bytes] = []
        self.decisions: list[Decision] = []

    def touch(self, content: bytes, event: bool, closed: bool, rest: Iterator[bytes] | None = None) -> None:
        """Let a writer take one step."""
        self.touches += 1
        if self.file is None:
            self.file = Inode(content, self.touches, rest)
        else:
            self.file.content, self.file.touched, self.file.rest = content, self.touches, rest
        self.tell(event, closed)

    def tell(self, event: bool, closed: bool) -> None:
        """Tell of a step, unless the event is lost."""
        if event:
            self.hinted, self.is_closed = True, closed

    @rule(whole=st.sampled_from(WHOLE), pieces=st.integers(1, 5), event=st.booleans())
    def begin_in_place(self, whole: bytes, pieces: int, event: bool) -> None:
        """Truncate the file, and write it piece by piece in further steps."""
        size = math.ceil(len(whole) / pieces)
        self.touch(b"", event, False, iter([whole[start : start + size] for start in range(0, len(whole), size)]))

    @precondition(lambda self: self.file is not None and self.file.rest is not None)
    @rule(event=st.booleans())
    def go_on_in_place(self, event: bool) -> None:
        """Write the next piece, or close the file after the last one."""
        assert self.file
        assert self.file.rest
        piece = next(self.file.rest, None)
        if piece is None:
            self.file.rest = None
            self.tell(event, True)
        else:
            self.touch(self.file.content + piece, event, False, self.file.rest)

    @precondition(lambda self: self.file is not None and self.file.rest is not None)
    @rule()
    def die(self) -> None:
        """End without having written all; the kernel closes the file."""
        assert self.file
        self.file.rest = None
        self.tell(True, True)

    @precondition(lambda self: self.file is not None and self.file.content in WHOLE and self.file.rest is None)
    @rule(whole=st.sampled_from(WHOLE), gaps=st.lists(st.integers(0, 20), min_size=1, max_size=5), event=st.booleans())
    def write_over(self, whole: bytes, gaps: list[int], event: bool) -> None:
        """
        Write over the file piece by piece without truncating it: what is there in between is a report, old and new in
        one, that nobody meant. Its pauses are shorter than QUIET_S.
        """
        assert self.file
        assert len({len(each) for each in WHOLE}) == 1
        event = event or self.is_closed  # the kernel loses no event but when the queue is full, and says so then
        for number, ticks in enumerate(gaps, 1):
            written = len(whole) * number // len(gaps)
            self.touch(whole[:written] + self.file.content[written:], event, False)
            self.pass_time(self.now_s + ticks * TICK_S)
        self.tell(event, True)

    @rule(content=st.sampled_from([*WHOLE, BAD]), event=st.booleans())
    def replace(self, content: bytes, event: bool) -> None:
        """Put another file in its place; who still writes writes to the old one."""
        self.file = None
        self.touch(content, event, True)

    @rule(event=st.booleans())
    def remove(self, event: bool) -> None:
        """Remove the file."""
        self.file = None
        self.tell(event, False)

    @precondition(lambda self: self.file is not None)
    @rule(event=st.booleans())
    def touch_only(self, event: bool) -> None:
        """Change nothing but the time."""
        assert self.file
        self.touch(self.file.content, event, False, self.file.rest)

    @rule(ticks=st.integers(1, 200))
    def wait(self, ticks: int) -> None:
        """Let time go by."""
        self.pass_time(self.now_s + ticks * TICK_S)

    def pass_time(self, until_s: float) -> None:
        """Let time go by, and the lookout look when it is time to."""
        while True:
            due_s = max(self.now_s, self.deaf_until_s) if self.hinted else max(self.wake_at_s, self.now_s)
            if due_s > until_s:
                break
            self.now_s = due_s
            self.look()
        self.now_s = until_s

    def look(self) -> None:
        """Look as the lookout does."""
        hinted, self.hinted = self.hinted, False
        closed, self.is_closed = self.is_closed, False
        if hinted or self.settle.must_read(self.now_s):
            self.read(closed)
        pause = self.settle.pause(self.now_s)
        self.deaf_until_s = self.now_s + pause.deaf_s
        self.wake_at_s = self.deaf_until_s + max(pause.alert_s, TICK_S / 10)

    def read(self, closed: bool) -> None:
        """Read the file as it is."""
        content: Report | ReportError
        try:
            content = parse_report(self.file.content) if self.file else ReportMissing("r.json")
        except ReportError as error:
            content = error
        fingerprint = self.file and self.file.touched
        decision = self.settle.decide(content, fingerprint, self.now_s, self.now_s, closed)
        self.decisions.append(decision)
        if decision is Decision.PUBLISH:
            assert isinstance(content, Report)
            self.published.append(content.body)

    @invariant()
    def nothing_torn_is_published(self) -> None:
        """And nothing twice in a row."""
        meant = {parse_report(whole).body for whole in WHOLE}
        published = getattr(self, "published", [])
        assert set(published) <= meant
        assert all(one != other for one, other in itertools.pairwise(published))

    @rule()
    def be_quiet(self) -> None:
        """Once all writers have ended and a sweep has passed, the last whole content is the published one."""
        if self.file:
            self.file.rest = None
        self.pass_time(self.now_s + SWEEP_S + QUIET_S + 2 * TICK_S)
        if self.file and self.file.content in WHOLE:
            assert self.published[-1] == parse_report(self.file.content).body

    @rule()
    def be_quiet_for_long(self) -> None:
        """What is no report is told of, once it is sure that it stays so."""
        self.be_quiet()
        self.pass_time(self.now_s + PATIENCE * SETTLE_S + SWEEP_S)
        assert self.settle.state is State.SETTLED
        good = self.file is not None and self.file.content in WHOLE
        told = {Decision.PUBLISH, Decision.UNCHANGED} if good else {Decision.REJECT, Decision.STILL_REJECTED}
        assert self.decisions[-1] in told


TestProducers = Producers.TestCase
TestProducers.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)


@given(st.lists(st.tuples(st.sampled_from([TORN, WRONG, 1, 2, 3]), st.floats(0, 5))))
def test_a_closed_content_is_published_exactly_when_it_differs_from_the_last_one(
    readings: list[tuple[ReportSyntaxError | ReportShapeError | int, float]],
) -> None:
    """Whatever comes in between, no bad content is published, and no good one twice or never."""
    reader = Reader()
    now_s, last = 0.0, None
    for number, (content, delay_s) in enumerate(readings):
        now_s += delay_s
        parsed = report(content) if isinstance(content, int) else content

        decision = reader.read(parsed, number, now_s)

        assert (decision is Decision.PUBLISH) == (isinstance(content, int) and content != last)
        last = content if isinstance(content, int) else last
    assert (reader.settle.published is not None) == (last is not None)
