"""What one run found, and how it is told: tables, JSON, picture. Pure."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.fanout.aims import HEADLINE, HEADLINE_BURST, verdicts
from bench.fanout.cells import Cell, Row
from bench.fanout.costs import Idle, Stalled
from bench.plot import Group, Reference, Scale, draw
from bench.results import aligned, facts_list

MEASURED = (
    "Each server has a core of its own; the clients, the publisher and Redis share what is left. *x floor*: as a\n"
    "multiple of a C loop of `send()` in the same run, same clients and size, one event at a time, not compressed.\n"
    "CPU is user and system time of all of a server's processes, by the scheduler's own count, over deliveries; it\n"
    "includes taking the event in. The next event is published when the last client has the one before (or the 8\n"
    "before). Latency runs from publishing to the last client's having the whole frame, one clock; percentiles by\n"
    "nearest rank; medians of the rounds. How each peer is configured and fed: `bench/fanout/__init__.py`."
)
EXPLAINED = (
    "*skipped*: events that a client did not get because newer ones replaced them, which is Reportcast's design for\n"
    "clients that are slower than the events. *faults*: anything else that is not every event at every client, in\n"
    "order, exactly once, and the same bytes as at the others."
)
MICROSECONDS = Scale("µs", (0.1, 1.0, 10.0, 100.0, 1000.0))
DEFLATED = Cell(1000, 65536, offers_deflate=True)
NOTHING = "-"


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """
    One run; what was not measured is empty.

    Attributes:
        facts: When, where and with what; JSON as it is.
        rows: Broadcasts.
        idle: Connections that nothing is sent to.
        stalled: Broadcasts where some do not read.
        missing: Peers that could not be had, and visits that failed, each with the reason.
    """

    facts: dict[str, Any]
    rows: Sequence[Row] = ()
    idle: Sequence[Idle] = ()
    stalled: Sequence[Stalled] = ()
    missing: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Give all of it."""
        found = {
            "broadcasts": [row.as_json() for row in self.rows],
            "idle": [row.as_json() for row in self.idle],
            "stalled": [row.as_json() for row in self.stalled],
        }
        return {**self.facts, **found, "missing": dict(self.missing), "aims": self.verdicts()}

    def verdicts(self) -> dict[str, bool]:
        """Say of each aim that was measured whether it is met."""
        return verdicts(self.rows, self.stalled)

    def text(self) -> str:
        """Give tables and verdicts, as Markdown that reads well as it is."""
        parts = [self._broadcasts()] if self.rows else []
        parts += [f"## Idle connections\n\n{self._idle_table()}"] if self.idle else []
        parts += [f"## 1 % that do not read, 64 KiB\n\n{self._stalled_table()}"] if self.stalled else []
        parts += ["\n".join(f"- not measured: {what}: {why}" for what, why in self.missing.items())]
        aims = [f"- {name}: {'met' if met else 'MISSED'}" for name, met in self.verdicts().items()]
        return "\n\n".join(part for part in [*parts, "\n".join(["Aims:", "", *aims])] if part)

    def markdown(self) -> str:
        """Give the page that is kept."""
        parts = [f"# Broadcasting, {self.facts['date']}", MEASURED, self.text(), facts_list(self.facts)]
        return "\n\n".join(parts) + "\n"

    def picture(self) -> str | None:
        """Give the SVG; ``None`` where it has nothing to compare."""
        cells = (HEADLINE, HEADLINE_BURST, DEFLATED)
        costs = {(row.peer, row.cell): row.sample.cpu_us for row in self.rows}
        floor = next((row for row in self.rows if row.cell == HEADLINE and row.times_floor == 1), None)
        groups = [
            Group(peer, tuple(costs[peer, cell] for cell in cells))
            for peer in self._peers()
            if all((peer, cell) in costs for cell in cells)
        ]
        if floor is None or not groups:
            return None
        return draw(
            "CPU time of the server for each delivery, 1000 clients",
            f"{self.facts['date']}, one core of {self.facts['machine']['cpu']}; 64 KiB where clients offer compression",
            ["300 B", "300 B, 8 at once", "64 KiB, deflate"],
            groups,
            Reference(f"{floor.peer}, 300 B: {floor.sample.cpu_us:.1f} µs", floor.sample.cpu_us),
            MICROSECONDS,
        )

    def _broadcasts(self) -> str:
        tables: dict[str, Callable[[Row], str]] = {
            "Server CPU for each delivery, µs (x floor)": _cost,
            "Deliveries a second": lambda row: f"{row.sample.per_second:.0f}",
            "Publishing to last client, p50 / p99 ms": lambda row: _pair(row, "last_"),
            "Publishing to each client, p50 / p99 ms": lambda row: _pair(row, ""),
            "Bytes of each delivery on the wire": lambda row: f"{row.sample.wire_bytes:.0f}",
        }
        parts = [f"## {title}\n\n{self._by_peer(figure)}" for title, figure in tables.items()]
        return "\n\n".join([*parts, EXPLAINED, self._counts()])

    def _by_peer(self, figure: Callable[[Row], str]) -> str:
        peers = self._peers()
        cells = list(dict.fromkeys(row.cell for row in self.rows))
        found = {(row.peer, row.cell): figure(row) for row in self.rows}
        rows = [[cell.title, *(found.get((peer, cell), NOTHING) for peer in peers)] for cell in cells]
        return aligned([["clients x event", *peers], *rows])

    def _counts(self) -> str:
        cells = [["peer", "events", "skipped", "faults"]]
        for peer in self._peers():
            samples = [row.sample for row in self.rows if row.peer == peer]
            sums = [sum(getattr(sample, name) for sample in samples) for name in ("events", "skipped", "faults")]
            cells.append([peer, *map(str, sums)])
        return aligned(cells)

    def _idle_table(self) -> str:
        cells = [["peer", "connections", "deflate offered", "agreed", "RSS each", "PSS each", "CPU of a handshake"]]
        for row in self.idle:
            sizes = [f"{size / 1000:.1f} kB" for size in (row.resident_bytes, row.proportional_bytes)]
            words = ["yes" if is_so else "no" for is_so in (row.offers_deflate, row.agrees)]
            cells.append([row.peer, str(row.clients), *words, *sizes, f"{row.handshake_us:.0f} µs"])
        return aligned(cells)

    def _stalled_table(self) -> str:
        cells = [
            ["peer", "clients", "stalled", "p99 ms without", "p99 ms with", "events", "MiB before", "after", "faults"]
        ]
        for row in self.stalled:
            hindered = f"{row.with_p99_ms:.1f}" if row.is_complete else "stops"
            memory = [f"{size:.0f}" for size in (row.before_mib, row.after_mib)]
            counts = [str(row.clients), str(row.stalled), f"{row.without_p99_ms:.1f}", hindered, str(row.events)]
            cells.append([row.peer, *counts, *memory, str(row.faults)])
        return aligned(cells)

    def _peers(self) -> list[str]:
        return list(dict.fromkeys(row.peer for row in self.rows))


def _cost(row: Row) -> str:
    times = f" ({row.times_floor:.2f})" if row.times_floor is not None else ""
    return f"{row.sample.cpu_us:.2f}{times}"


def _pair(row: Row, prefix: str) -> str:
    values = [getattr(row.sample, f"{prefix}{percentile}_ms") for percentile in ("p50", "p99")]
    return " / ".join(NOTHING if math.isnan(value) else f"{value:.1f}" for value in values)
