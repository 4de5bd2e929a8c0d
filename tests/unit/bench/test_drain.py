"""What the drain benchmark reads and says."""

import pytest
from reportcast.contracts.close_codes import CloseCode
from reportcast.contracts.frames import close_frame

from bench.drain import CLOSE, is_even, table_of


def test_the_gateways_close_frame_is_known() -> None:
    """Also when something stands before it in the same read."""
    frame = close_frame(CloseCode.SERVICE_RESTART, '{"retry_after_ms":250}')

    found = CLOSE.search(b"\x89\x00" + frame)

    assert found is not None
    assert found[1] == b"250"
    assert not CLOSE.search(close_frame(CloseCode.TRY_AGAIN_LATER, '{"retry_after_ms":250}'))


@pytest.mark.parametrize(
    ("seconds", "expected"), [([20, 20, 20, 20, 20], True), ([40, 30, 20, 10, 0], True), ([41, 29, 20, 10, 0], False)]
)
def test_twice_the_mean_is_the_limit(seconds: list[int], expected: bool) -> None:
    """Of any second."""
    assert is_even(seconds, 5) is expected


def test_the_table() -> None:
    """One row for each second, and what became of all."""
    table = table_of(
        {
            "connections": 3,
            "told_to_come_back": 3,
            "in_each_second": [2, 1],
            "retry_after_ms": [100, 200, 300],
            "exit_code": 0,
            "ended_after_s": 2.1,
        }
    )

    assert table.splitlines()[0] == (
        "3 of 3 were told to come back, after 100 to 300 ms (median 200); the gateway ended with 0 after 2.1 s."
    )
    assert table.splitlines()[-2:] == ["| 1 | 2 |", "| 2 | 1 |"]
