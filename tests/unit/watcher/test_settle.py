from hypothesis import given
from hypothesis import strategies as st
from reportcast.contracts.errors import ReportShapeError, ReportSyntaxError
from watcher.settle import Decision, Settle

from tests.support.reports import report

TORN = ReportSyntaxError("cut off")
WRONG = ReportShapeError("no list")


def test_a_whole_report_is_published_at_once() -> None:
    """It parses, so it is whole: no waiting."""
    assert Settle(2, 60).decide(report(1), "f1", 0, 0) is Decision.PUBLISH


def test_the_same_content_is_unchanged() -> None:
    """However often it is written."""
    settle = Settle(2, 60)
    settle.decide(report(1), "f1", 0, 0)

    assert settle.decide(report(1), "f2", 1, 1) is Decision.UNCHANGED


def test_a_torn_write_is_waited_for() -> None:
    """Each change of the file starts the waiting again; then the whole report is published."""
    settle = Settle(2, 60)

    decisions = [settle.decide(TORN, f"f{second}", second, second) for second in range(10)]
    decisions.append(settle.decide(report(1), "f10", 10, 10))

    assert decisions == [Decision.WAIT] * 10 + [Decision.PUBLISH]


def test_a_writer_that_never_finishes_is_told_of() -> None:
    """Once each five times settle_s, however often it touches the file."""
    settle = Settle(2, 60)

    decisions = [settle.decide(TORN, f"f{second}", second, second) for second in range(24)]

    assert [second for second, decision in enumerate(decisions) if decision is Decision.REJECT] == [10, 21]
    assert set(decisions) == {Decision.WAIT, Decision.REJECT}


def test_a_writer_that_died_is_rejected_once() -> None:
    """Torn content that does not change for settle_s is what the file holds, and is said once."""
    settle = Settle(2, 60)

    decisions = [settle.decide(TORN, "f1", second, second) for second in (0, 1, 2, 3)]

    assert decisions == [Decision.WAIT, Decision.WAIT, Decision.REJECT, Decision.STILL_REJECTED]


def test_a_wrong_shape_is_rejected_at_once() -> None:
    """Valid JSON of the wrong shape is no unfinished write."""
    assert Settle(2, 60).decide(WRONG, "f1", 0, 0) is Decision.REJECT


def test_the_good_report_comes_back_after_a_rejection() -> None:
    """The published content again is no new publication; the next rejection counts anew."""
    settle = Settle(2, 60)
    settle.decide(report(1), "f1", 0, 0)

    decisions = [
        settle.decide(WRONG, "f2", 1, 1),
        settle.decide(report(1), "f3", 2, 2),
        settle.decide(WRONG, "f4", 3, 3),
    ]

    assert decisions == [Decision.REJECT, Decision.UNCHANGED, Decision.REJECT]


@given(st.lists(st.tuples(st.sampled_from([TORN, WRONG, 1, 2, 3]), st.floats(0, 5))))
def test_a_content_is_published_exactly_when_it_differs_from_the_last_one(
    readings: list[tuple[ReportSyntaxError | ReportShapeError | int, float]],
) -> None:
    """Whatever comes in between, no bad content is published, and no good one twice or never."""
    settle = Settle(2, 60)
    now, last = 0.0, None
    for number, (content, delay) in enumerate(readings):
        now += delay
        parsed = report(content) if isinstance(content, int) else content

        decision = settle.decide(parsed, number, now, now)

        assert (decision is Decision.PUBLISH) == (isinstance(content, int) and content != last)
        last = content if isinstance(content, int) else last
    assert (settle.published is not None) == (last is not None)
