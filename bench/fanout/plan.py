"""How much is measured: the full run, or a quick one. Pure."""

import dataclasses

from bench.fanout.cells import Cell

FULL_SIZES, QUICK_SIZES = (300, 2048, 65536), (300, 65536)
BURST = 8
# What may wait in the kernel for clients at a time: the machine has to be able to hold it.
MOST_BYTES_IN_FLIGHT = 700_000_000
DEFLATE_SIZE = 65536
# It takes seconds to connect them, and to send them a burst.
MANY_CLIENTS = 5000
MANY_ROUNDS = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """
    What a run measures.

    Attributes:
        clients: Numbers of them, of the plain broadcasts.
        sizes: Of events, in bytes.
        deflate_clients: Numbers of them, where they offer compression.
        idle_clients: Connections whose memory is measured.
        stalled_clients: Clients of which 1 % do not read.
        stalled_events: So many while they do.
        rounds: Of each broadcast, interleaved between peers; at most MANY_ROUNDS with very many clients.
        seconds: Of each round, at least.
    """

    clients: tuple[int, ...] = (100, 1000, 10_000)
    sizes: tuple[int, ...] = FULL_SIZES
    deflate_clients: tuple[int, ...] = (100, 1000)
    idle_clients: int = 10_000
    stalled_clients: int = 10_000
    stalled_events: int = 60
    rounds: int = 3
    seconds: float = 0.4

    @property
    def most_clients(self) -> int:
        """The most that are connected at a time."""
        return max(*self.clients, *self.deflate_clients, self.idle_clients, self.stalled_clients)

    def rounds_of(self, clients: int) -> int:
        """How often broadcasts to so many clients are measured."""
        return min(self.rounds, MANY_ROUNDS) if clients >= MANY_CLIENTS else self.rounds

    def plain_cells(self, clients: int) -> list[Cell]:
        """The broadcasts to so many clients that offer no compression."""
        return [
            Cell(clients, size, in_flight)
            for size in self.sizes
            for in_flight in (1, BURST)
            if in_flight == 1 or clients * size * in_flight <= MOST_BYTES_IN_FLIGHT
        ]

    def deflate_cells(self, clients: int) -> list[Cell]:
        """The broadcasts to so many clients that do."""
        return [Cell(clients, DEFLATE_SIZE, offers_deflate=True)]


FULL = Plan()
QUICK = Plan(
    clients=(100, 1000),
    sizes=QUICK_SIZES,
    deflate_clients=(100,),
    idle_clients=1000,
    stalled_clients=300,
    stalled_events=120,
    rounds=1,
    seconds=0.25,
)
