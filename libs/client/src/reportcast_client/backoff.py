"""When to come back. Pure: times come in as arguments."""

import math
import random

# The exponent is capped because 2**1024 is no float.
_MAX_DOUBLINGS = 16
# No gateway is away for longer than it pays to ask.
MAX_TOLD_S = 3600.0


class Backoff:
    """
    Full jitter: between nothing and a bound that doubles with each failure, so that many clients spread out.

    Args:
        chance: For the waits.
        base_s: The first bound.
        cap_s: The last one.
        stable_s: What was connected for so long begins with the first bound again.
    """

    def __init__(self, chance: random.Random, base_s: float = 0.5, cap_s: float = 30.0, stable_s: float = 30.0) -> None:
        self._chance = chance
        self._base_s = base_s
        self._cap_s = cap_s
        self._stable_s = stable_s
        self._failures = 0
        # How often in a row it ended with an exact time to come back.
        self._sent_away = 0
        self._opened_s: float | None = None

    def opened(self, now_s: float) -> None:
        """Note that a connection stands."""
        self._opened_s = now_s

    def wait_s(self, now_s: float, told_s: float | None = None, is_exact: bool = False) -> float:
        """
        Give how long to wait after a connection, or an attempt, that ended now.

        Args:
            now_s: Monotonic seconds.
            told_s: What the gateway asked for: any number, of which what can be waited for is taken.
            is_exact: Whether it asked this client alone; what it tells everybody is spread.
        """
        if self._opened_s is not None and now_s - self._opened_s >= self._stable_s:
            self._failures = self._sent_away = 0
        self._opened_s = None
        told_s = None if told_s is None else _bounded(told_s)
        if told_s is not None and is_exact:
            # It ended on purpose and said when to come back: what failed before says nothing about that time.
            self._failures = 0
            self._sent_away += 1
            # Once that is kept to exactly; who tells it again and again, before anything was stable, is not hammered.
            return told_s + (self._jitter_s(self._sent_away - 2) if self._sent_away > 1 else 0.0)
        self._failures += 1
        return (told_s or 0.0) + self._jitter_s(self._failures - 1)

    def _jitter_s(self, doublings: int) -> float:
        return self._chance.uniform(0, min(self._cap_s, self._base_s * 2 ** min(doublings, _MAX_DOUBLINGS)))


def _bounded(told_s: float) -> float | None:
    """Give a time that can be waited for; ``None`` if it is none."""
    return min(max(told_s, 0.0), MAX_TOLD_S) if math.isfinite(told_s) else None
