"""Messages that are none of ours."""

import pytest
from reportcast.broker.foreign import MAX_CHARACTERS, ForeignMessages
from structlog.testing import capture_logs


def test_they_are_counted_and_seldom_logged() -> None:
    """Every one counts; the log has one a second, and how many it left out."""
    counted: list[None] = []
    times = iter((0.0, 0.1, 0.2, 1.1))
    foreign = ForeignMessages(lambda: counted.append(None), lambda: next(times))

    with capture_logs() as logs:
        for _ in range(4):
            foreign("x" * 1000)

    assert len(counted) == 4
    assert [line["others_since"] for line in logs] == [0, 2]
    assert all(len(line["reason"]) == MAX_CHARACTERS for line in logs)


@pytest.mark.parametrize("reason", ["", "not ours"])
def test_the_reason_is_told(reason: str) -> None:
    """As it is."""
    with capture_logs() as logs:
        ForeignMessages(lambda: None, lambda: 0.0)(reason)

    assert logs[0]["reason"] == reason
