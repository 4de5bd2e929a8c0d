"""When a client comes back."""

import math
import random

import pytest
from reportcast_client.backoff import Backoff


class Latest(random.Random):
    """The longest waits there can be."""

    def uniform(self, a: float, b: float) -> float:
        return b


def test_waits_double_up_to_the_cap() -> None:
    """As bounds: each wait is a random part of one."""
    backoff, spread = Backoff(Latest()), Backoff(random.Random(1))

    assert [backoff.wait_s(0.0) for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    waits = [spread.wait_s(0.0) for _ in range(2000)]
    assert min(waits) < 1.0
    assert 29.0 < max(waits) <= 30.0


def test_stability_begins_anew() -> None:
    """Thirty seconds of it, not a second less, and not an attempt that failed."""
    backoff = Backoff(Latest())
    assert backoff.wait_s(0.0) == 0.5

    backoff.opened(10.0)
    assert backoff.wait_s(39.9) == 1.0
    assert backoff.wait_s(99.0) == 2.0
    backoff.opened(100.0)
    assert backoff.wait_s(130.0) == 0.5


def test_an_end_on_purpose_begins_anew() -> None:
    """Who was told when to come back is not kept away for what failed before."""
    backoff = Backoff(Latest())
    for _ in range(6):
        backoff.wait_s(0.0)

    backoff.opened(1.0)
    assert backoff.wait_s(2.0, told_s=0.25, is_exact=True) == 0.25
    assert backoff.wait_s(3.0) == 0.5


def test_what_the_gateway_asks_for() -> None:
    """Is done exactly, if it is for this client alone; and spread, if all are told the same."""
    backoff = Backoff(Latest())

    assert backoff.wait_s(0.0, told_s=0.25, is_exact=True) == 0.25
    assert backoff.wait_s(0.0, told_s=5.0) == 5.5


def test_who_sends_away_again_and_again() -> None:
    """Is not hammered: the first time is kept to, then they are spread as failures are, until something is stable."""
    backoff = Backoff(Latest())

    assert [backoff.wait_s(0.0, told_s=0.0, is_exact=True) for _ in range(9)] == [0, 0.5, 1, 2, 4, 8, 16, 30, 30]
    backoff.opened(0.0)
    assert backoff.wait_s(30.0, told_s=0.0, is_exact=True) == 0.0


@pytest.mark.parametrize("is_exact", [True, False])
@pytest.mark.parametrize(("told_s", "least_s"), [(-5.0, 0.0), (1e300, 3600.0), (math.inf, 0.0), (math.nan, 0.0)])
def test_times_that_cannot_be_kept(told_s: float, least_s: float, is_exact: bool) -> None:
    """Are bounded, or as if nothing had been told."""
    wait_s = Backoff(Latest()).wait_s(0.0, told_s=told_s, is_exact=is_exact)

    assert least_s <= wait_s <= least_s + 0.5
