"""What is measured of a broadcast, and how it is summed up. Pure."""

import dataclasses
import statistics
from collections.abc import Sequence
from typing import Any

from bench.fanout.costs import rounded
from bench.fanout.load import Receipts
from bench.receipts import percentile


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Cell:
    """
    One kind of broadcast.

    Attributes:
        clients: How many.
        size: Of the event, in bytes.
        in_flight: Events published at once; the next come when the last client has these.
        offers_deflate: Whether the clients offer compression.
    """

    clients: int
    size: int
    in_flight: int = 1
    offers_deflate: bool = False

    @property
    def title(self) -> str:
        """The cell in words."""
        size = f"{self.size} B" if self.size < 1024 else f"{self.size // 1024} KiB"
        flight = "" if self.in_flight == 1 else f", {self.in_flight} in flight"
        return f"{self.clients} x {size}{flight}{', deflate offered' if self.offers_deflate else ''}"


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """
    One round of one peer in one cell.

    Attributes:
        events: Measured.
        cpu_us: Of the server, for each receipt.
        load_cpu_us: Of the load generator, likewise.
        per_second: Receipts a second, all clients together.
        last_p50_ms, last_p99_ms: Over events, from publishing to the last client that has it.
        p50_ms, p99_ms: Over all receipts.
        wire_bytes: Of each receipt.
        skipped: Events that a client did not get, where the server may skip.
        faults: What no server may do.
    """

    events: int
    cpu_us: float
    load_cpu_us: float
    per_second: float
    last_p50_ms: float
    last_p99_ms: float
    p50_ms: float
    p99_ms: float
    wire_bytes: float
    skipped: int
    faults: int


def sample_of(began_ns: Sequence[int], got: Receipts, cpu_s: float, load_cpu_s: float, may_skip: bool) -> Sample:
    """
    Sum up one round.

    Args:
        began_ns: When each event was published.
        got: What came of it.
        cpu_s: That the server used.
        load_cpu_s: That the load generator used.
        may_skip: Whether a client may miss events that newer ones replaced.
    """
    arrived = [(last, began) for last, began in zip(got.last_ns, began_ns, strict=True) if last]
    lasting = sorted((last - began) / 1e6 for last, began in arrived) or [float("nan")]
    seconds = (max(got.last_ns, default=0) - began_ns[0]) / 1e9
    faults = got.faults
    skipped = faults.lost if may_skip else 0
    wrong = faults.lost - skipped + faults.duplicated + faults.out_of_order + faults.unexpected
    each = max(1, got.receipts)
    return Sample(
        events=got.events,
        cpu_us=cpu_s * 1e6 / each,
        load_cpu_us=load_cpu_s * 1e6 / each,
        per_second=got.receipts / seconds if seconds > 0 else 0.0,
        last_p50_ms=percentile(lasting, 50),
        last_p99_ms=percentile(lasting, 99),
        p50_ms=got.p50_ns / 1e6,
        p99_ms=got.p99_ns / 1e6,
        wire_bytes=got.bytes / each,
        skipped=skipped,
        faults=wrong + got.different + got.closed,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """
    All rounds of one peer in one cell: medians, and sums of events, skipped and faults.

    Attributes:
        times_floor: The CPU time as a multiple of the C loop's, same clients and size, one event at a time, plain;
            ``None`` if that was not measured.
    """

    peer: str
    cell: Cell
    rounds: int
    sample: Sample
    times_floor: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Give what JSON can hold, rounded to 3 digits after the point."""
        where = {"peer": self.peer, **dataclasses.asdict(self.cell), "rounds": self.rounds}
        return rounded({**where, **dataclasses.asdict(self.sample), "times_floor": self.times_floor})


SUMMED = ("events", "skipped", "faults")


def median_of(samples: Sequence[Sample]) -> Sample:
    """Give the median of each figure, and the sum of what is counted."""
    figures: dict[str, Any] = {}
    for field in dataclasses.fields(Sample):
        values = [getattr(sample, field.name) for sample in samples]
        figures[field.name] = sum(values) if field.name in SUMMED else statistics.median(values)
    return Sample(**figures)


def rows_of(samples: dict[tuple[str, Cell], list[Sample]], floor: str) -> list[Row]:
    """
    Sum up all rounds, in the order of the cells.

    Args:
        samples: By peer and cell.
        floor: The peer that the others are measured by.
    """
    medians = {key: median_of(found) for key, found in samples.items()}
    rows = []
    for (peer, cell), found in sorted(medians.items(), key=lambda item: item[0][1]):
        base = medians.get((floor, dataclasses.replace(cell, in_flight=1, offers_deflate=False)))
        times = found.cpu_us / base.cpu_us if base and base.cpu_us else None
        rows.append(Row(peer, cell, len(samples[peer, cell]), found, times))
    return rows
