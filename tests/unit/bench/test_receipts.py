import pytest

from bench.receipts import Faults, find_faults, latencies_ms, percentile


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        pytest.param([3, 4, 5, 6], Faults(), id="every-change-once"),
        pytest.param([3, 4, 6], Faults(lost=1), id="one-lost"),
        pytest.param([], Faults(lost=4), id="nothing-came"),
        pytest.param([3, 4, 4, 5, 6], Faults(duplicated=1), id="one-twice"),
        pytest.param([3, 5, 4, 6], Faults(out_of_order=1), id="one-late"),
        pytest.param([3, 4, 5, 6, 7], Faults(unexpected=1), id="one-that-nobody-made"),
        pytest.param([6, 5, 5, 9], Faults(lost=2, duplicated=1, out_of_order=1, unexpected=1), id="all-at-once"),
    ],
)
def test_faults_are_found(received: list[int], expected: Faults) -> None:
    """What is not "every change from 3 to 6, in order, exactly once" is named and counted."""
    assert find_faults(received, 3, 6) == expected


def test_faults_add_up() -> None:
    """The faults of many clients make one sum; no faults are false."""
    total = sum([Faults(), Faults(lost=1), Faults(lost=2, out_of_order=1)], Faults())

    assert total == Faults(lost=3, out_of_order=1)
    assert total
    assert not Faults()


@pytest.mark.parametrize(
    ("percent", "expected"),
    [
        pytest.param(0.1, 1.0, id="least"),
        pytest.param(50, 50.0, id="median"),
        pytest.param(99, 99.0, id="99"),
        pytest.param(99.1, 100.0, id="above-99"),
        pytest.param(100, 100.0, id="greatest"),
    ],
)
def test_percentile(percent: float, expected: float) -> None:
    """Of 1 to 100 each percentile is a value that was measured."""
    assert percentile([float(value) for value in range(1, 101)], percent) == expected


def test_percentile_of_one_value() -> None:
    """One value is every percentile."""
    assert percentile([7.0], 1) == percentile([7.0], 99) == 7.0


def test_latencies_leave_out_the_warm_up() -> None:
    """Only changes from the first measured one count, each from its own start."""
    began_ns = {1: 0, 2: 1_000_000, 3: 5_000_000}

    assert latencies_ms([(1, 900_000), (2, 3_500_000), (3, 6_000_000)], began_ns, 2) == [2.5, 1.0]
