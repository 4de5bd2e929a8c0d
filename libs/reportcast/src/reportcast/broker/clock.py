"""
How this host's clock stands to the broker's.

The broker is asked for its time; it answered somewhere between question and answer, so half of what that took is how
wrong the middle may be. Of several answers the one that came fastest is believed.
"""

import asyncio
import datetime
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import structlog

from reportcast.broker.base import Broker
from reportcast.broker.errors import BrokerError, BrokerRefused
from reportcast.contracts.clock import utc_us
from reportcast.contracts.trace import Skew

log = structlog.get_logger("clock")

EVERY_S = 30.0
# After a failure, and after the first time: much begins together with that, and answers are slow.
AGAIN_S = 2.0
# Questions each time: most are answered before anything else comes between.
QUESTIONS = 5
# What is remembered, of five rounds.
MAX_SAMPLES = 5 * QUESTIONS
# Two clocks part by so much at most, 15 ppm each (RFC 5905, 7.2: PHI).
DRIFT_US_PER_S = 30


class Sample(NamedTuple):
    """
    One comparison.

    Attributes:
        offset_us: See ``Skew``.
        uncertainty_us: When it was made.
        taken_s: When that was; monotonic.
    """

    offset_us: int
    uncertainty_us: int
    taken_s: float

    def aged(self, now_s: float) -> Skew:
        """Give what it says now, when the clocks may have parted further."""
        grown_us = round((now_s - self.taken_s) * DRIFT_US_PER_S)
        return Skew(self.offset_us, self.uncertainty_us + grown_us)


class Estimate:
    """What the comparisons made so far come to. Pure."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=MAX_SAMPLES)

    def add(self, sample: Sample) -> None:
        """Take a comparison; those that cannot be true together with it are forgotten: a clock was set."""
        agreeing = [each for each in self._samples if _agree(each.aged(sample.taken_s), sample)]
        self._samples.clear()
        self._samples.extend([*agreeing, sample])

    def skew(self, now_s: float) -> Skew | None:
        """Give the best that is known; ``None`` before the first comparison."""
        return min((each.aged(now_s) for each in self._samples), key=lambda each: each.uncertainty_us, default=None)


def _agree(before: Skew, now: Sample) -> bool:
    return abs(before.offset_us - now.offset_us) <= before.uncertainty_us + now.uncertainty_us


class BrokerClock:
    """
    Measures it for a process, now and then.

    Args:
        broker: Whose clock.
        now: Aware UTC time of this host.
        tell: Called with what each round comes to.
    """

    def __init__(
        self,
        broker: Broker,
        now: Callable[[], datetime.datetime],
        tell: Callable[[Skew], None] = lambda skew: None,
    ) -> None:
        self._broker = broker
        self._now = now
        self._tell = tell
        self._estimate = Estimate()
        self._is_same = self._was_refused = False

    @property
    def skew(self) -> Skew | None:
        """The best that is known now; ``None`` before the broker has answered."""
        if self._is_same:
            return Skew(0, 0)
        return self._estimate.skew(asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Measure, for ever."""
        await self.measure()
        await asyncio.sleep(AGAIN_S)
        while True:
            pause_s = EVERY_S if await self.measure() else AGAIN_S
            await asyncio.sleep(pause_s)

    async def measure(self) -> bool:
        """Ask a few times; tell whether the broker answered."""
        try:
            for _ in range(QUESTIONS):
                await self._ask()
        except BrokerRefused as exc:
            if not self._was_refused:
                self._was_refused = True
                log.warning("clocks not compared", reason=str(exc), remedy="allow TIME, as ops/redis/users.acl does")
        except BrokerError:  # those who follow the broker tell of it
            return False
        if skew := self.skew:
            self._tell(skew)
        return True

    async def _ask(self) -> None:
        asked_us = utc_us(self._now())
        told = await self._broker.time()
        answered_us = utc_us(self._now())
        middle_us, half_us = (asked_us + answered_us) // 2, (answered_us - asked_us + 1) // 2
        self._is_same = told is None
        # A clock that was set back meanwhile says nothing.
        if told is not None and half_us >= 0:
            now_s = asyncio.get_running_loop().time()
            self._estimate.add(Sample(utc_us(told) - middle_us, half_us, now_s))
