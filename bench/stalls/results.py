"""What one run found, and how it is told: table, JSON. Pure."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from bench.results import aligned, facts_list
from bench.stalls.servers import Kind

MEASURED = """\
A report goes to WebSocket clients that offer deflate, and when the first has it, HTTP clients ask for `/audit`, all at
once: of four, two as zstd, one as gzip, one as it is. Meanwhile another process asks `/healthz` every 3 ms; its longest
wait is how long the event loop stood still, and includes waiting for one of the cores, which are shared with the
clients. *idle* is the longest wait in the half second before.

- *gateway*: as it is. *no thread*: it compresses in its event loop.
- *ConnectionManager*: the pattern of FastAPI's documentation on uvicorn, which deflates for each connection, with
  Starlette's `GZipMiddleware`."""


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """
    One server, one size of report, one number of WebSocket clients.

    Attributes:
        bytes: Of the report.
        idle_ms: Longest answer of ``/healthz`` while nothing happens.
        longest_ms: The longest while the reports went through.
        websocket_s: Until all WebSocket clients had a report, longest; ``http_s`` likewise, which begins no earlier.
        cpu_s: CPU time for a report, mean.
        peak_mib: The most resident memory.
        sent_mb: To all clients, for a report.
    """

    kind: Kind
    bytes: int
    clients: int
    changes: int
    idle_ms: float
    longest_ms: float
    websocket_s: float
    http_s: float
    cpu_s: float
    peak_mib: float
    sent_mb: float

    def as_json(self) -> dict[str, Any]:
        """Give what JSON can hold, rounded."""
        fields = dataclasses.asdict(self) | {"kind": self.kind.value}
        return {name: round(value, 3) if isinstance(value, float) else value for name, value in fields.items()}

    def cells(self) -> list[str]:
        """Give a row of the table."""
        whole = [f"{value:.0f}" for value in (self.idle_ms, self.longest_ms)]
        spans = [f"{value:.2f}" for value in (self.websocket_s, self.http_s, self.cpu_s)]
        sizes = [f"{value:.0f}" for value in (self.peak_mib, self.sent_mb)]
        return [f"{self.bytes / 1e6:.0f}", str(self.clients), self.kind.value, *whole, *spans, *sizes]


HEADS = ["MB", "WS", "server", "idle ms", "longest ms", "all WS s", "all HTTP s", "CPU s", "peak MiB", "sent MB"]


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
        """Give a Markdown table that reads well as it is."""
        return aligned([HEADS, *(row.cells() for row in self.rows)])

    def markdown(self) -> str:
        """Give the page that is kept."""
        title = f"# Large reports, {self.facts['date']}"
        return "\n\n".join([title, MEASURED, self.table(), facts_list(self.facts)]) + "\n"
