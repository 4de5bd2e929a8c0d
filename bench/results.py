"""What one run of the benchmark found, and how it is told: table, JSON, picture. Pure."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from bench.plot import Group, Reference, draw
from bench.receipts import Faults
from bench.writer import CHUNK_PAUSE_S, CHUNKS, Mode

# It needs 508 to 510 ms.
REPLACED = Reference("the Node server that this replaces: 508 ms", 508.0)

AIM_CLIENTS, AIM_P50_MS, AIM_P99_MS = 100, 20.0, 60.0

MEASURED = (
    "From the file's change to the moment at which a client has received the last byte of the frame that carries\n"
    "it, over all receipts of all clients; one monotonic clock; percentiles by nearest rank.\n\n"
    "- *replace*: the clock starts just before `os.replace()` of a finished temporary file.\n"
    f"- *in place*: the file is truncated and written in {CHUNKS} pieces, {CHUNK_PAUSE_S * 1000:g} ms apart; the clock "
    "starts just before the\n  `write()` of the last piece: from the last byte written."
)

EXPLAINED = (
    "The mean latency, and means per change by the services' own metrics. file→Redis begins with the file's\n"
    "modification time, which for a file written in place lies some ms before its last byte, because the kernel's\n"
    "clock for it is that coarse. Redis→hub ends when every connection has the frame; what then remains is sending."
)


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """
    One number of clients, one way of writing.

    Attributes:
        pace_ms: Mean time between changes.
        conflated: Frames that the gateway replaced by a newer one.
        missed: Changes that did not reach the gateway one by one.
        file_to_redis_ms: Mean, by the watcher's own metric: from the file's modification time to Redis' answer.
        redis_to_hub_ms: Mean, by the gateway's own metric: from the publish to the end of the hand-over to the hub.
        watcher_cpu_ms: CPU time that each change takes there; the same for ``gateway`` and ``clients``.
    """

    clients: int
    mode: Mode
    changes: int
    pace_ms: float
    receipts: int
    mean_ms: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    faults: Faults
    conflated: int
    missed: int
    file_to_redis_ms: float
    redis_to_hub_ms: float
    watcher_cpu_ms: float
    gateway_cpu_ms: float
    clients_cpu_ms: float

    @property
    def is_faithful(self) -> bool:
        """Whether every client got every change, in order, exactly once."""
        return not (self.faults or self.conflated or self.missed)

    @property
    def meets_aim(self) -> bool | None:
        """Whether the aim is met; ``None`` if there is none for so many clients."""
        if self.clients != AIM_CLIENTS:
            return None
        return self.p50_ms <= AIM_P50_MS and self.p99_ms <= AIM_P99_MS

    def as_json(self) -> dict[str, Any]:
        """Give what JSON can hold, rounded to 10 µs."""
        fields = dataclasses.asdict(self) | {"mode": self.mode.value}
        return {name: round(value, 2) if isinstance(value, float) else value for name, value in fields.items()}


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """
    One run.

    Attributes:
        facts: When, where and with what; JSON as it is.
    """

    facts: dict[str, Any]
    rows: Sequence[Row]

    def as_json(self) -> dict[str, Any]:
        """Give all of it."""
        return {**self.facts, "rows": [row.as_json() for row in self.rows]}

    def table(self) -> str:
        """Give the latencies, as Markdown that reads well as it is."""
        cells = [["clients", "write", "p50 ms", "p99 ms", "max ms", "receipts", "lost", "dup", "order", "conflated"]]
        for row in self.rows:
            faults = row.faults
            timing = [f"{value:.1f}" for value in (row.p50_ms, row.p99_ms, row.max_ms)]
            counts = [row.receipts, faults.lost, faults.duplicated + faults.unexpected, faults.out_of_order]
            cells.append(
                [str(row.clients), row.mode.value, *timing, *map(str, counts), str(row.conflated + row.missed)]
            )
        return aligned(cells)

    def breakdown(self) -> str:
        """Give where the time goes, likewise."""
        cells = [
            [
                "clients",
                "write",
                "mean ms",
                "file→Redis ms",
                "Redis→hub ms",
                "watcher CPU ms",
                "gateway CPU ms",
                "clients CPU ms",
            ]
        ]
        for row in self.rows:
            spans = (row.mean_ms, row.file_to_redis_ms, row.redis_to_hub_ms)
            used = (row.watcher_cpu_ms, row.gateway_cpu_ms, row.clients_cpu_ms)
            cells.append([str(row.clients), row.mode.value, *(f"{value:.1f}" for value in spans + used)])
        return aligned(cells)

    def verdict(self) -> str:
        """Say whether the aim is met."""
        judged = [row.meets_aim for row in self.rows if row.meets_aim is not None]
        aim = f"p50 <= {AIM_P50_MS:g} ms and p99 <= {AIM_P99_MS:g} ms at {AIM_CLIENTS} clients"
        if not judged:
            return f"Aim ({aim}): not measured"
        return f"Aim ({aim}): {'met' if all(judged) else 'MISSED'}"

    def markdown(self) -> str:
        """Give the page that is kept."""
        parts = [f"# Latency, {self.facts['date']}", MEASURED, self.table(), f"{self.verdict()}."]
        return (
            "\n\n".join([*parts, "## Where the time goes", EXPLAINED, self.breakdown(), facts_list(self.facts)]) + "\n"
        )

    def picture(self) -> str:
        """Give the SVG."""
        modes = list(dict.fromkeys(row.mode for row in self.rows))
        groups = []
        for clients in dict.fromkeys(row.clients for row in self.rows):
            values = [(row.p50_ms, row.p99_ms) for row in self.rows if row.clients == clients]
            label = f"{clients} client{'s' * (clients != 1)}"
            groups.append(Group(label, tuple(value for pair in values for value in pair)))
        return draw(
            "From the file's change to the client that received it",
            f"{self.facts['date']}, {self.facts['machine']['cores']} cores for everything including the clients, "
            f"{self.facts['report_bytes'] / 1000:.0f} kB report",
            [f"{mode.value} {percentile}" for mode in modes for percentile in ("p50", "p99")],
            groups,
            REPLACED,
        )


def aligned(cells: Sequence[Sequence[str]]) -> str:
    """Give rows of cells, the heads first, as a Markdown table that reads well as it is."""
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = [
        "| " + " | ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    lines.insert(1, "| " + " | ".join("-" * (width - 1) + ":" for width in widths) + " |")
    return "\n".join(lines)


def facts_list(facts: Mapping[str, Any]) -> str:
    """Give each fact as a line of a Markdown list."""
    return "\n".join(f"- {name.replace('_', ' ')}: {_sentence(value)}" for name, value in facts.items())


def _sentence(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_sentence(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value)
