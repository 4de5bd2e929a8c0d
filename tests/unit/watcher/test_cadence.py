import pytest
from hypothesis import given
from hypothesis import strategies as st
from watcher.cadence import Cadence


def cadence_of(*moments_s: float, every_s: float | None = None) -> Cadence:
    """Give a cadence that has seen reports at these moments."""
    cadence = Cadence(every_s)
    for moment_s in moments_s:
        cadence.beat(moment_s)
    return cadence


@pytest.mark.parametrize(
    ("moments_s", "learnt_s"),
    [
        pytest.param([0, 300, 600], None, id="too-few"),
        pytest.param([0, 300, 600, 900], 300, id="regular"),
        pytest.param([0, 300, 610, 890, 1200], 305, id="nearly-regular"),
        pytest.param([0, 300, 600, 900, 5000], 300, id="one-pause"),
        pytest.param([0, 0.2, 300, 300.1, 600, 600.4, 900], 300, id="several-writes-in-each-run"),
        pytest.param([0, 1, 2, 3, 4, 5, 6], None, id="burst"),
        pytest.param([0, 20, 900, 950, 4000, 4100], None, id="whenever-something-happens"),
    ],
)
def test_learning(moments_s: list[float], learnt_s: float | None) -> None:
    """The interval is the median of those of a regular producer, and of no other."""
    learnt = cadence_of(*moments_s).expected_every_s

    assert learnt == (None if learnt_s is None else pytest.approx(learnt_s, abs=1))


def test_a_learnt_interval_is_late_by_half_of_it() -> None:
    """Late by less is what a busy machine does."""
    cadence = cadence_of(0, 300, 600, 900)

    assert cadence.due_s == 1200
    assert [cadence.is_overdue(at_s) for at_s in (1200, 1350, 1350.1)] == [False, False, True]


def test_a_set_interval_is_late_by_a_tenth_of_it() -> None:
    """The operator knows; from the first report on."""
    cadence = cadence_of(0, every_s=300)

    assert [cadence.is_overdue(at_s) for at_s in (300, 330, 330.1)] == [False, False, True]


@pytest.mark.parametrize(
    ("every_s", "moments_s"),
    [pytest.param(0, [0, 300, 600, 900], id="off"), pytest.param(300, [], id="no-report-yet")],
)
def test_nothing_is_late(every_s: float, moments_s: list[float]) -> None:
    """Where nothing is expected, and before the first report, which is another state."""
    cadence = cadence_of(*moments_s, every_s=every_s)

    assert cadence.due_s is None
    assert not cadence.is_overdue(10**9)


def test_a_restart_forgets_nothing() -> None:
    """The interval and the last report are those from before; the next ones are learnt from again."""
    cadence = Cadence(None)
    cadence.recall(300, -100)

    assert cadence.due_s == 200
    assert cadence.is_overdue(500)
    for moment_s in (200, 800, 1400, 2000):
        cadence.beat(moment_s)
    assert cadence.expected_every_s == 600


@given(st.lists(st.floats(min_value=1, max_value=1000), min_size=30, max_size=60))
def test_a_producer_on_time_is_never_overdue(jitter: list[float]) -> None:
    """Whatever happened before, a report every 300 s within 50 s of its time raises no alarm once it is learnt."""
    cadence, now_s = Cadence(None), 0.0
    for interval_s in jitter:
        now_s += interval_s
        cadence.beat(now_s)
    for number in range(60):
        now_s += 300 + 50 * (-1) ** number
        assert number < 20 or not cadence.is_overdue(now_s)
        cadence.beat(now_s)
