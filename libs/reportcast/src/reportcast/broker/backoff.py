"""How long to wait before trying again, and how to say so once."""

import asyncio
import random
from collections.abc import Callable

import structlog

from reportcast.broker.errors import BrokerUnavailable

# What is away is asked for so often that everybody is back within two seconds of its return. So is what refuses, but
# less often: it waits for an operator, and may be asked to take a large report.
AWAY_CAP_S = 0.5
REFUSED_CAP_S = 1.0


def full_jitter(attempt: int, base_s: float = 0.1, cap_s: float = AWAY_CAP_S) -> float:
    """
    Give the delay before attempt ``attempt`` (0, 1, ...), in seconds.

    Full jitter: between nothing and an exponentially growing bound, so that many waiters spread out.
    """
    # The exponent is capped because 2**1024 is no float.
    return random.uniform(0, min(cap_s, base_s * 2 ** min(attempt, 16)))  # noqa: S311 - no secret


class Outage:
    """
    The broker's absence as one user of it sees it: logged when it starts, when its
    kind changes, and when it ends, not per attempt.

    Args:
        log: Bound with who is waiting.
        clock: Monotonic seconds.
        on_attempt: Called before each wait, to count it.
    """

    def __init__(
        self,
        log: structlog.stdlib.BoundLogger,
        clock: Callable[[], float],
        on_attempt: Callable[[], None] = lambda: None,
    ) -> None:
        self._log = log
        self._clock = clock
        self._on_attempt = on_attempt
        self._attempts = 0
        self._began = 0.0
        self._kind: type[Exception] | None = None

    async def wait(self, error: Exception) -> None:
        """Note a failed attempt and wait before the next."""
        if self._attempts == 0:
            self._began = self._clock()
        if type(error) is not self._kind:  # lost, or answering again but refusing
            self._kind = type(error)
            self._log.warning("broker lost", reason=str(error))
        self._on_attempt()
        cap_s = AWAY_CAP_S if isinstance(error, BrokerUnavailable) else REFUSED_CAP_S
        delay_s = full_jitter(self._attempts, cap_s=cap_s)
        self._attempts += 1
        await asyncio.sleep(delay_s)

    def end(self) -> None:
        """Note that the broker answers."""
        if self._attempts:
            seconds = round(self._clock() - self._began, 3)
            self._log.info("broker back", outage_s=seconds, attempts=self._attempts)
        self._attempts = 0
        self._kind = None
