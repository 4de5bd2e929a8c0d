"""
How often a producer writes, and whether it is late. Pure: times come in.

Source: docs/protocol.md, Overdue.
"""

import math
import statistics
from collections import deque

# What is learnt from: so many intervals at least, of the last so many.
ENOUGH, CONVINCING, REMEMBERED = 3, 6, 20
ONE_S = 1.0
# A producer is regular if three of four intervals lie within half of the median. Who writes whenever something happens
# is not, and nothing is expected of it.
REGULAR = 0.75
SPREAD = 0.5
# A shorter median is that of a burst: what writes for a few seconds and then pauses is no clock.
SHORTEST_S = 10.0

# A report is overdue when it is late by this part of the interval: one that was learnt is less certain than one that
# was set.
LEARNT_TOLERANCE, SET_TOLERANCE = 0.5, 0.1
LEAST_TOLERANCE_S = 1.0


class Cadence:
    """
    The rhythm of one report.

    Args:
        every_s: The interval that the operator set; 0: nothing is expected; ``None``: it is learnt.
    """

    def __init__(self, every_s: float | None) -> None:
        self._every_s = every_s
        self._learnt_s: float | None = None
        self._intervals: deque[float] = deque(maxlen=REMEMBERED)
        self._last_s: float | None = None

    def recall(self, learnt_s: float | None, last_s: float) -> None:
        """
        Go on from what was known before a restart.

        Args:
            learnt_s: The interval; ``None`` if it was not known.
            last_s: When the last report came; monotonic, may lie before this process began.
        """
        self._learnt_s = learnt_s
        self._last_s = last_s

    def recall_interval(self, learnt_s: float | None) -> None:
        """Go on with the interval of before a restart, where the present one is not known yet."""
        if self._learnt_s is None:
            self._learnt_s = learnt_s

    def beat(self, now_s: float) -> None:
        """Note that the producer has written; what follows within ONE_S belongs to the same run of it."""
        if self._last_s is not None and now_s - self._last_s >= ONE_S:
            self._intervals.append(now_s - self._last_s)
            self._learn()
        self._last_s = now_s

    @property
    def expected_every_s(self) -> float | None:
        """The interval; ``None`` if nothing is expected, or not known yet."""
        return self._learnt_s if self._every_s is None else self._every_s or None

    @property
    def due_s(self) -> float | None:
        """When the next report is due; ``None`` if that is not known."""
        every_s = self.expected_every_s
        return None if every_s is None or self._last_s is None else self._last_s + every_s

    @property
    def overdue_s(self) -> float:
        """When the next report is later than can be put up with; infinite if that is not known."""
        every_s, due_s = self.expected_every_s, self.due_s
        if every_s is None or due_s is None:
            return math.inf
        tolerance = LEARNT_TOLERANCE if self._every_s is None else SET_TOLERANCE
        return due_s + max(LEAST_TOLERANCE_S, tolerance * every_s)

    def is_overdue(self, now_s: float) -> bool:
        """Tell whether the next report is later than can be put up with."""
        return now_s > self.overdue_s

    def _learn(self) -> None:
        learnt_s = self._regular() if len(self._intervals) >= ENOUGH else None
        # What was known before a restart is given up only for something better, or when it was wrong for long.
        if learnt_s is not None or len(self._intervals) >= CONVINCING:
            self._learnt_s = learnt_s

    def _regular(self) -> float | None:
        median_s = statistics.median(self._intervals)
        near = sum(abs(interval_s - median_s) <= SPREAD * median_s for interval_s in self._intervals)
        return median_s if median_s >= SHORTEST_S and near >= REGULAR * len(self._intervals) else None
