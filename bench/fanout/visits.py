"""One visit: a server started afresh, its clients connected, what is measured of it there."""

import contextlib
import dataclasses
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from bench.fanout.broadcasts import Subject
from bench.fanout.cells import Cell, Sample
from bench.fanout.costs import Idle, Stalled
from bench.fanout.load import LoadError, running_load
from bench.fanout.peers import Peer
from bench.fanout.plan import Plan
from bench.watching.progress import progress

T = TypeVar("T")

# Some would be busy with it until their publisher's connection times out.
LONGEST_BURST_MS = 5000
# Connected and measured apart, so that what a server sets up with its first connection is not counted.
FIRST_CLIENTS = 50
SETTLE_MS = 300
STALLED_SIZE = 65536
STALLED_SHARE = 100


@dataclasses.dataclass(frozen=True, slots=True)
class Laboratory:
    """
    What visits need.

    Attributes:
        load: The load generator's program.
        cores: Of the server.
        failures: What went wrong, by peer and what was tried; filled in.
    """

    load: Path
    cores: set[int]
    failures: dict[str, str] = dataclasses.field(default_factory=dict)

    def attempt(self, what: str, measure: Callable[[], T]) -> T | None:
        """Give what ``measure`` gives; ``None`` where the peer fails, which is noted."""
        try:
            return measure()
        except (LoadError, OSError, AssertionError) as exc:
            self.failures[what] = str(exc) or repr(exc)
            progress(f"{what}: FAILED: {exc}")
            return None

    @contextlib.contextmanager
    def subject(self, peer: Peer, most_clients: int, offers_deflate: bool) -> Iterator[Subject]:
        """Run a server, and its load generator with no client yet, until the end of the block."""
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reportcast-bench-")))
            server = stack.enter_context(peer.start(folder, self.cores, offers_deflate))
            load = stack.enter_context(running_load(self.load, server.port, server.way, most_clients))
            yield Subject(server, load)

    def broadcasts(self, peer: Peer, cells: Sequence[Cell], seconds: float, found: dict[Cell, Sample]) -> None:
        """Measure cells that have the clients in common, into ``found``; a burst that would take too long is not."""
        clients, offers_deflate = cells[0].clients, cells[0].offers_deflate
        with self.subject(peer, clients, offers_deflate) as subject:
            subject.load.connect(clients)
            subject.load.settle(SETTLE_MS)
            subject.warm_up(cells[0].size, clients)
            for cell in cells:
                single = found.get(dataclasses.replace(cell, in_flight=1))
                if not single or single.last_p50_ms * cell.in_flight <= LONGEST_BURST_MS:
                    found[cell] = subject.measure(cell, seconds, peer.may_skip)

    def idle(self, peer: Peer, clients: int, offers_deflate: bool) -> Idle:
        """Measure what connections cost that nothing is sent to."""
        with self.subject(peer, clients + FIRST_CLIENTS, offers_deflate) as subject:
            subject.load.connect(FIRST_CLIENTS)
            subject.load.settle(SETTLE_MS)
            before, used_s = subject.server.memory(), subject.server.cpu_s()
            agreed = subject.load.connect(clients)
            subject.load.settle(SETTLE_MS)
            used_s, after = subject.server.cpu_s() - used_s, subject.server.memory()
        return Idle(
            peer=peer.name,
            clients=clients,
            offers_deflate=offers_deflate,
            agrees=agreed > 0,
            resident_bytes=(after.resident - before.resident) / clients,
            proportional_bytes=(after.proportional - before.proportional) / clients,
            handshake_us=used_s * 1e6 / clients,
        )

    def stalled(self, peer: Peer, plan: Plan) -> Stalled:
        """Broadcast to clients that all read, then with 1 % more that do not."""
        clients, stalled = plan.stalled_clients, plan.stalled_clients // STALLED_SHARE
        with self.subject(peer, clients + stalled, False) as subject:
            subject.load.connect(clients)
            subject.load.settle(SETTLE_MS)
            subject.warm_up(STALLED_SIZE, clients)
            reading = subject.broadcast(STALLED_SIZE, 1, 0.0, plan.stalled_events, clients)
            subject.load.stall(stalled)
            before = subject.server.memory().resident
            hindered = subject.broadcast(STALLED_SIZE, 1, 0.0, plan.stalled_events, clients)
            after = subject.server.memory().resident
        return Stalled(
            peer=peer.name,
            clients=clients,
            stalled=stalled,
            events=len(hindered.began_ns),
            is_complete=hindered.is_complete,
            without_p99_ms=reading.got.p99_ns / 1e6,
            with_p99_ms=hindered.got.p99_ns / 1e6,
            before_mib=before / 2**20,
            after_mib=after / 2**20,
            faults=0 if hindered.got.is_faithful else 1,
        )
