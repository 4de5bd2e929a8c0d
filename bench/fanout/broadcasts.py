"""Measuring one server with its clients connected: a cell at a time."""

import dataclasses
import time

from bench.fanout.cells import Cell, Sample, sample_of
from bench.fanout.events import event_of
from bench.fanout.load import Load, Receipts
from bench.fanout.plan import MANY_CLIENTS
from bench.fanout.servers import Server
from bench.watching.usage import cpu_s

# By whether there are very many clients.
# In the first 16 segments of a connection the kernel acknowledges each at once, at the cost of who sends it.
FIRST_EVENTS = {True: 17, False: 20}
WARM_UP_BURSTS = {True: 1, False: 2}
LEAST_BURSTS = {True: 2, False: 3}
MOST_EVENTS = 4000
# Both for the load generator's memory.
MOST_RECEIPTS = 4_000_000
# Clients that get nothing for so long will not get it.
PATIENCE_S = 10
# After the last client has the last event, the server may still be busy with it.
AFTERWARDS_MS = 20


@dataclasses.dataclass(frozen=True, slots=True)
class Broadcast:
    """
    What one series of events came to.

    Attributes:
        began_ns: When each was published.
        got: What the clients got.
        cpu_s: That the server used.
        load_cpu_s: That the load generator used.
        is_complete: Whether the last event came to every client; if not, the series was broken off there.
    """

    began_ns: list[int]
    got: Receipts
    cpu_s: float
    load_cpu_s: float
    is_complete: bool


class Subject:
    """
    A server, its clients, and the number of the last event between them.

    Attributes:
        server: What is measured.
        load: Its clients.
    """

    def __init__(self, server: Server, load: Load) -> None:
        self.server = server
        self.load = load
        self._number = 0

    def warm_up(self, size: int, clients: int) -> None:
        """Broadcast until connections behave as they do later."""
        self.broadcast(size, 1, 0.0, FIRST_EVENTS[clients >= MANY_CLIENTS], clients)

    def measure(self, cell: Cell, seconds: float, may_skip: bool) -> Sample:
        """Broadcast for at least so long, after a warm-up."""
        is_many = cell.clients >= MANY_CLIENTS
        self.broadcast(cell.size, cell.in_flight, 0.0, WARM_UP_BURSTS[is_many], cell.clients)
        seen = self.broadcast(cell.size, cell.in_flight, seconds, LEAST_BURSTS[is_many], cell.clients)
        return sample_of(seen.began_ns, seen.got, seen.cpu_s, seen.load_cpu_s, may_skip)

    def broadcast(self, size: int, in_flight: int, seconds: float, least_bursts: int, clients: int) -> Broadcast:
        """Publish bursts of events, each when the last client has the one before."""
        most = max(least_bursts * in_flight, min(MOST_EVENTS, MOST_RECEIPTS // clients))
        self.load.expect(self._number + 1, most)
        before_s, load_before_s = self.server.cpu_s(), cpu_s(self.load.pid)
        began_ns, is_complete = self._publish(size, in_flight, seconds, least_bursts, most)
        self.load.settle(AFTERWARDS_MS)
        used_s, load_used_s = self.server.cpu_s() - before_s, cpu_s(self.load.pid) - load_before_s
        return Broadcast(began_ns, self.load.report(began_ns), used_s, load_used_s, is_complete)

    def _publish(
        self, size: int, in_flight: int, seconds: float, least_bursts: int, most: int
    ) -> tuple[list[int], bool]:
        began_ns: list[int] = []
        until_s = time.monotonic() + seconds
        burst = self._next(size, in_flight)
        is_complete = True
        while is_complete and len(began_ns) + in_flight <= most:
            began_ns += [time.monotonic_ns()] * in_flight
            self.server.publisher.publish(burst)
            self._number += in_flight
            burst = self._next(size, in_flight)  # while the server is busy
            is_complete = self.load.await_everywhere(self._number, PATIENCE_S)
            if time.monotonic() >= until_s and len(began_ns) >= least_bursts * in_flight:
                break
        return began_ns, is_complete

    def _next(self, size: int, count: int) -> list[bytes]:
        return [event_of(self._number + 1 + index, size) for index in range(count)]
