"""Messages on the broker that are none of ours: counted, and logged once a second at most."""

import math
from collections.abc import Callable

import structlog

SILENCE_S = 1.0
# Of what the reason quotes.
MAX_CHARACTERS = 300


class ForeignMessages:
    """
    Gets the reason for each; whoever may publish could fill the disk with them.

    Args:
        count: Called for each.
        clock: Monotonic seconds.
    """

    def __init__(self, count: Callable[[], object], clock: Callable[[], float]) -> None:
        self._count = count
        self._clock = clock
        self._logged_s = -math.inf
        self._unlogged = 0
        self._log = structlog.get_logger("broker")

    def __call__(self, reason: str) -> None:
        """Take one."""
        self._count()
        now_s = self._clock()
        if now_s - self._logged_s < SILENCE_S:
            self._unlogged += 1
            return
        self._log.warning("foreign message ignored", reason=reason[:MAX_CHARACTERS], others_since=self._unlogged)
        self._logged_s, self._unlogged = now_s, 0
