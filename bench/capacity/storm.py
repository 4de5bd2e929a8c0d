"""
Simulations, in discrete time and seeded, of gateways that go and clients that come back. Pure.

Who is closed by a drain comes back after the time that the close says; who loses its gateway, by the page's backoff.
Who comes back is given a gateway that is ready, and waits there until it is accepted.
"""

import dataclasses
import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from enum import Enum

from gateway.retry import RETRY_AFTER_MS

STEP_S = 0.1
RETRY_AFTER_S = (RETRY_AFTER_MS[0] / 1000, RETRY_AFTER_MS[1] / 1000)
# The page's backoff (dashboard/src/client/backoff.ts): full jitter of the first, and at most of the last.
BACKOFF_S, MOST_BACKOFF_S = 0.5, 30.0
# After so many refusals it grows no more.
LONGEST = 6


class Balance(Enum):
    """How clients find a gateway, and whether GATEWAY_MAX_CONNECTIONS bounds what it takes."""

    RANDOM = "random, no limit"
    LIMITED = "random, limit"
    LEAST = "least, limit"


@dataclasses.dataclass(frozen=True, slots=True)
class Fleet:
    """
    The gateways.

    Attributes:
        replicas: At least 2.
        connections: Of all of them together.
        handshakes_per_s: That each can accept.
        drain_s: GATEWAY_DRAIN_S.
        start_s: From the end of a gateway until the next in its place is ready.
        most: GATEWAY_MAX_CONNECTIONS: who comes then is refused, and tries again by the page's backoff.
    """

    replicas: int
    connections: int
    handshakes_per_s: float
    drain_s: float
    start_s: float
    most: int


@dataclasses.dataclass(frozen=True, slots=True)
class Moment:
    """
    One step.

    Attributes:
        at_s: Its end.
        most: Connections of the gateway that has most.
        least: Of the ready one that has fewest.
        accepted_per_s: Handshakes that the busiest gateway answered.
        waiting: Clients that wait at the gateway where most do.
        away: Clients that are connected nowhere.
        refused: Handshakes that a full gateway refused so far.
    """

    at_s: float
    most: int
    least: int
    accepted_per_s: float
    waiting: int
    away: int
    refused: int


class Storm:
    """
    Gateways and clients, step by step.

    Args:
        fleet: All connected, evenly.
        balance: How clients find a gateway.
        rng: Source of all chance.
    """

    def __init__(self, fleet: Fleet, balance: Balance, rng: random.Random) -> None:
        self.ready = set(range(fleet.replicas))
        self.moments: list[Moment] = []
        self.refused = 0
        share, rest = divmod(fleet.connections, fleet.replicas)
        self.connections = [share + (number < rest) for number in range(fleet.replicas)]
        self._fleet = fleet
        self._balance = balance
        self._most = fleet.connections if balance is Balance.RANDOM else fleet.most
        self._rng = rng
        # By how often they were refused, like those that come in a step.
        self._waiting: list[Counter[int]] = [Counter() for _ in range(fleet.replicas)]
        self._credit = [0.0] * fleet.replicas
        self._coming: defaultdict[int, Counter[int]] = defaultdict(Counter)

    @property
    def away(self) -> int:
        """Clients that are connected nowhere."""
        return self._fleet.connections - sum(self.connections)

    def part(self, replica: int, count: int, delay_s: tuple[float, float]) -> None:
        """Take so many connections from a gateway; each client comes back after a time between the two."""
        self.connections[replica] -= count
        self._come_back(count, 0, delay_s)

    def leave(self, replica: int) -> None:
        """Have a gateway take nobody any more; who waits there looks for another."""
        self.ready.discard(replica)
        self._coming[len(self.moments)].update(self._waiting[replica])
        self._waiting[replica].clear()

    def step(self) -> None:
        """Let STEP_S go by."""
        for refusals, coming in self._coming.pop(len(self.moments), Counter()).items():
            for replica, count in self._choose(coming).items():
                self._waiting[replica][refusals] += count
        accepted = [self._accept(replica) for replica in sorted(self.ready)]
        self.moments.append(
            Moment(
                at_s=round((len(self.moments) + 1) * STEP_S, 3),
                most=max(self.connections),
                least=min(self.connections[replica] for replica in self.ready),
                accepted_per_s=max(accepted) / STEP_S,
                waiting=max(waiting.total() for waiting in self._waiting),
                away=self.away,
                refused=self.refused,
            )
        )

    def _come_back(self, count: int, refusals: int, delay_s: tuple[float, float]) -> None:
        soonest, latest = (len(self.moments) + 1 + round(delay / STEP_S) for delay in delay_s)
        for step, coming in Counter(self._rng.choices(range(soonest, latest), k=count)).items():
            self._coming[step][refusals] += coming

    def _choose(self, count: int) -> Counter[int]:
        ready = sorted(self.ready)
        if self._balance is not Balance.LEAST:
            return Counter(self._rng.choices(ready, k=count))
        chosen: Counter[int] = Counter()
        heap = [(self.connections[replica] + self._waiting[replica].total(), replica) for replica in ready]
        heapq.heapify(heap)
        for _ in range(count):
            load, replica = heap[0]
            chosen[replica] += 1
            heapq.heapreplace(heap, (load + 1, replica))
        return chosen

    def _accept(self, replica: int) -> int:
        # What is left of the time for one handshake is not lost, but an idle gateway saves none up.
        self._credit[replica] = self._credit[replica] % 1 + self._fleet.handshakes_per_s * STEP_S
        answered = 0
        for refusals in sorted(self._waiting[replica]):
            count = min(self._waiting[replica][refusals], int(self._credit[replica]) - answered)
            self._waiting[replica][refusals] -= count
            taken = min(count, self._most - self.connections[replica])
            self.connections[replica] += taken
            self.refused += count - taken
            if count > taken:
                more = min(refusals + 1, LONGEST)
                self._come_back(count - taken, more, backoff_s(more))
            answered += count
        self._waiting[replica] = +self._waiting[replica]
        self._credit[replica] -= answered
        return answered


def backoff_s(attempt: int) -> tuple[float, float]:
    """Give between which two times the page tries again."""
    return 0.0, min(MOST_BACKOFF_S, BACKOFF_S * 2**attempt)


def rolling_restart(fleet: Fleet, balance: Balance, seed: int = 1) -> list[Moment]:
    """Restart all gateways, one after the other: each drains, ends, and the next waits until it is ready again."""
    storm = Storm(fleet, balance, random.Random(seed))
    steps = max(1, round(fleet.drain_s / STEP_S))
    for replica in range(fleet.replicas):
        storm.leave(replica)
        for left in range(steps, 0, -1):
            storm.part(replica, storm.connections[replica] // left, RETRY_AFTER_S)
            storm.step()
        for _ in range(round(fleet.start_s / STEP_S)):
            storm.step()
        storm.ready.add(replica)
    return _until_all_are_back(storm)


def loss(fleet: Fleet, balance: Balance, seed: int = 1) -> list[Moment]:
    """Lose one gateway at once; its clients notice at once. The next in its place is ready after ``start_s``."""
    storm = Storm(fleet, balance, random.Random(seed))
    storm.step()
    storm.leave(0)
    storm.part(0, storm.connections[0], backoff_s(0))
    for _ in range(round(fleet.start_s / STEP_S)):
        storm.step()
    storm.ready.add(0)
    return _until_all_are_back(storm)


def _until_all_are_back(storm: Storm) -> list[Moment]:
    while storm.away:
        storm.step()
    storm.step()
    return storm.moments


@dataclasses.dataclass(frozen=True, slots=True)
class Summary:
    """
    A simulation in short.

    Attributes:
        most: Connections that any gateway had at any time.
        accepted_per_s: The most handshakes of any gateway.
        waiting: The most clients that waited at any gateway.
        away: The most that were connected nowhere at a time.
        refused: Handshakes that full gateways refused.
        lasted_s: Until everybody was connected.
        last_least: Connections of the emptiest gateway then.
    """

    most: int
    accepted_per_s: float
    waiting: int
    away: int
    refused: int
    lasted_s: float
    last_least: int


def summary(moments: Sequence[Moment]) -> Summary:
    """Sum a simulation up."""
    return Summary(
        most=max(moment.most for moment in moments),
        accepted_per_s=max(moment.accepted_per_s for moment in moments),
        waiting=max(moment.waiting for moment in moments),
        away=max(moment.away for moment in moments),
        refused=moments[-1].refused,
        lasted_s=moments[-1].at_s,
        last_least=moments[-1].least,
    )
