"""One change's way through the gateway, and what several workers tell of theirs."""

from typing import Any

from gateway.painted import Allowance
from gateway.passage import Passage
from gateway.traces import MAX_CHANGES, merge
from hypothesis import given
from hypothesis import strategies as st
from reportcast.contracts.trace import Skew, Trace

times = st.integers(-(2**50), 2**50)
skews = st.builds(Skew, times, st.integers(0, 2**40))


@given(st.builds(Trace, times, times, times, times, skews), skews, times, times, times)
def test_the_hops_telescope(trace: Trace, here: Skew, received: int, prepared: int, written: int) -> None:
    """Whatever the clocks say, exactly: to the time from the file to the end of the fan-out by the broker's clock."""
    passage = Passage(trace, here, received, prepared, written)

    assert trace.skew
    whole = (written + here.offset_us) - (trace.modified_us + trace.skew.offset_us)
    assert sum(passage.hops_us.values()) == passage.age_us == whole
    assert passage.uncertainty_us == here.uncertainty_us + trace.skew.uncertainty_us


def test_what_is_not_over_yet() -> None:
    """Has the hops that it went."""
    passage = Passage(Trace(0, 1000, 3000, 6000, Skew(0, 5)), Skew(100, 7), 10_000)

    assert passage.hops_ms == {"detect": 1, "settle": 2, "publish": 3, "relay": 4.1}
    assert [*passage.hops_us] == [*passage.hops_ms]
    assert passage.age_us is None
    passage.prepared_us = 10_500
    assert passage.hops_us["prepare"] == 500


def change(offset: int, age_ms: float | None, **other: Any) -> dict[str, Any]:
    """Give what a worker tells of a change."""
    received = f"2026-11-23T12:00:00.{offset:03}Z"
    told = {"epoch": "e", "offset": offset, "receivedAt": received, "ageMs": age_ms, "clients": 1, "painted": []}
    return told | other


class TestMerge:
    def test_the_slowest_worker_counts(self) -> None:
        """With the clients, and what browsers said, of all."""
        one = change(1, 5.0, painted=[{"deliverMs": 1, "paintMs": 1}])
        other = change(1, 7.0, clients=3, painted=[{"deliverMs": 2, "paintMs": 2}])
        pending = change(1, None, clients=0)

        (merged,) = merge([{"changes": [each]} for each in (one, other, pending)])

        assert merged == {**other, "clients": 4, "painted": [*one["painted"], *other["painted"]]}

    def test_newest_first(self) -> None:
        """No more than one worker remembers."""
        one, other = range(0, 2 * MAX_CHANGES, 2), range(1, 2 * MAX_CHANGES, 2)

        merged = merge({"changes": [change(offset, 1.0) for offset in each]} for each in (one, other))

        assert [each["offset"] for each in merged] == [*range(2 * MAX_CHANGES - 1, MAX_CHANGES - 1, -1)]


def test_so_many_in_a_second() -> None:
    """And as many in the next."""
    allowance = Allowance(2)

    assert [allowance.take(5.1) for _ in range(3)] == [True, True, False]
    assert [allowance.take(6.0) for _ in range(3)] == [True, True, False]
