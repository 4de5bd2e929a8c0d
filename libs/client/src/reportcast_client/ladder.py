"""Which transport is next, and when a better one is tried again. Pure: times come in as arguments."""

import random
from collections.abc import Sequence

from reportcast_client.errors import Interruption
from reportcast_client.events import Transport

# Two, because the first may be chance: the gateway ended while it was asked.
FAILURES = 2
# A poll more in so many seconds is nothing; what stands in the way of a WebSocket stands there for long.
CLIMB_S, CLIMB_CAP_S = 30.0, 600.0


class Ladder:
    """
    The transports, of which the best that gets through is used.

    Args:
        transports: What is best comes first.
        chance: For the times.
        climb_s: About so long after a connection by a worse one, a better one is tried; then twice as long, and so on.
    """

    def __init__(self, transports: Sequence[Transport], chance: random.Random, climb_s: float = CLIMB_S) -> None:
        self._transports = tuple(transports)
        self._chance = chance
        self._climb_s = climb_s
        self._rung = 0
        self._failures = 0
        self._refusals = 0
        self._climbs = 0

    @property
    def transport(self) -> Transport:
        """What to try, or what is used."""
        return self._transports[self._rung]

    @property
    def better(self) -> Sequence[Transport]:
        """What would be better than what is used; the best comes first."""
        return self._transports[: self._rung]

    def opened(self) -> None:
        """Note that something got through."""
        self._refusals = 0

    def proved(self) -> None:
        """Note that signs of life get through, too: nothing on the way keeps them back."""
        self._failures = 0
        if self._rung == 0:
            self._climbs = 0

    def failed(self, why: Interruption) -> bool:
        """
        Note that the transport brought nothing.

        Returns:
            Whether every transport was refused, one after the other.
        """
        if not (why.is_of_transport or self._rung):  # below the best, whatever fails may be this transport's alone
            return False
        is_refusal = why.final is not None
        self._refusals = self._refusals + 1 if is_refusal else 0
        self._failures += 1
        if is_refusal or self._failures >= FAILURES:
            # Below the last comes the best again: it may be the gateway that was away.
            self._rung = (self._rung + 1) % len(self._transports)
            self._failures = 0
        return self._refusals >= len(self._transports)

    def climb_in_s(self) -> float:
        """Give how long to wait until a better transport is tried."""
        bound_s = min(CLIMB_CAP_S, self._climb_s * 2 ** min(self._climbs, 10))
        return self._chance.uniform(bound_s / 2, bound_s)

    def stayed(self) -> None:
        """Note that better ones were tried, and none gets through."""
        self._climbs += 1

    def climb(self, transport: Transport) -> None:
        """Use a better one, which was tried and gets through; until it is proved, it may be deaf soon, as before."""
        self._climbs += 1
        self._rung = self._transports.index(transport)
        self._failures = 0
