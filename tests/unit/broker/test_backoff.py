import asyncio

import pytest
import structlog
import structlog.testing
from hypothesis import given
from hypothesis import strategies as st
from reportcast.broker.backoff import Outage, full_jitter
from reportcast.broker.errors import BrokerRefused, BrokerUnavailable


@given(st.integers(0, 100_000))
def test_full_jitter_is_bounded(attempt: int) -> None:
    """However long it has been going on."""
    assert 0 <= full_jitter(attempt, 0.1, 5) <= min(5, 0.1 * 2 ** min(attempt, 16))


async def test_an_outage_is_logged_once() -> None:
    """One line when it starts, one when its kind changes, one when it ends, whatever the attempts."""
    moments = iter([10.0, 12.5])
    attempts: list[None] = []
    with structlog.testing.capture_logs() as lines:
        outage = Outage(structlog.get_logger(), lambda: next(moments), lambda: attempts.append(None))
        for error in (BrokerUnavailable, BrokerUnavailable, BrokerRefused):
            await outage.wait(error("redis://h", "no"))
        outage.end()
        outage.end()

    assert [line["event"] for line in lines] == ["broker lost", "broker lost", "broker back"]
    assert lines[0]["reason"] == "broker redis://h is unavailable: no"
    assert lines[1]["reason"] == "broker redis://h refused: no"
    assert (lines[2]["outage_s"], lines[2]["attempts"], len(attempts)) == (2.5, 3, 3)


@pytest.mark.parametrize("error", [BrokerUnavailable, BrokerRefused])
async def test_a_long_outage_is_not_waited_for_long(
    error: type[BrokerUnavailable | BrokerRefused], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the broker was away, or had no room: who waits asks it at least once in a second."""
    waits: list[float] = []

    async def note(delay_s: float) -> None:
        waits.append(delay_s)

    monkeypatch.setattr(asyncio, "sleep", note)
    outage = Outage(structlog.get_logger(), lambda: 0.0)
    for _ in range(200):
        await outage.wait(error("redis://h", "no"))

    assert max(waits) <= 1.0
