"""What the fault suite found, as a page of Markdown."""

import dataclasses
import os
import platform
from collections.abc import Sequence

from tests.support.journal import Verdict

COMMAND = "make faults"
HEADS = (
    "fault",
    "recovery is when",
    "result",
    "clients",
    "changes",
    "healed s",
    "noticed s",
    "resumed / whole",
    "lost",
    "doubled",
    "wrong",
    "note",
)


@dataclasses.dataclass
class Row:
    """
    What one case found.

    Attributes:
        case: The fault.
        recovery: What counts as recovery, in a sentence.
        result: ``passed``, ``failed`` or ``skipped``.
        note: What is told beside.
        clients: How many followed.
        changes: How many were made.
        healed_s: From each recovery until all clients had the newest.
        detected_s: From the fault until both gateways said that they do not follow Redis; ``None`` if not asked.
        verdict: On all clients together.
    """

    case: str
    recovery: str
    result: str = "skipped"
    note: str = ""
    clients: int = 0
    changes: int = 0
    healed_s: list[float] = dataclasses.field(default_factory=list)
    detected_s: float | None = None
    verdict: Verdict = dataclasses.field(default_factory=Verdict)

    @property
    def line(self) -> str:
        """As the table has it."""
        verdict = self.verdict
        cells = (
            self.case,
            self.recovery,
            self.result,
            self.clients,
            self.changes,
            f"{max(self.healed_s):.2f}" if self.healed_s else "-",
            "-" if self.detected_s is None else f"{self.detected_s:.1f}",
            f"{verdict.recovered} / {verdict.refused}",
            verdict.lost + verdict.went_back,
            verdict.duplicated,
            verdict.across_gap + verdict.broken_promises,
            self.note,
        )
        return "| " + " | ".join(map(str, cells)) + " |"


def page(rows: Sequence[Row], date: str) -> str:
    """
    Give the page.

    Args:
        rows: In the order of the tests, or any other.
        date: Of the run.
    """
    listed = sorted(rows, key=lambda row: row.case)
    passed = sum(row.result == "passed" for row in listed)
    return _PAGE.format(
        date=date,
        machine=f"{os.cpu_count()} cores for all of it, {platform.system()} {platform.release()}",
        passed=f"{passed} of {len(listed)} passed",
        table="\n".join(row.line for row in listed),
    )


_PAGE = f"""# Faults, and what clients notice of them

Each row is a test in `tests/faults`: a real Redis, a real watcher and two real gateways, each a process; clients that
follow by the Python client (`tests/support/follower.py`), half of them on each gateway, half of them compressed, half
of them by WebSocket and half by event stream; a report that changes several times a second, mostly in one repository,
at every eighth time in an eighth of them, at every twenty-fifth in all; and the fault in the middle of it. The last
changes are made after recovery. Each test also fails if its fault did not happen: if no packet was dropped, no lease
lost, no clock off, no data gone.

{{passed}}: {{date}}, {{machine}}, by `{COMMAND}`, which writes this page.

- *healed*: seconds from recovery until every client shows the change that was the newest at recovery, or a later one;
  the longest, where there are several recoveries. A case passes within 2 s.
- *noticed*: seconds from the fault until both gateways say in `/api/ws/status` that they do not follow Redis. It has to
  be within 5 s.
- *resumed*: how many reconnects were answered with the changes alone that were missed; *whole*: with a report instead.
- *lost*: changes passed over without a word, clients that do not end with the newest report, and reports older than
  what the client had. *doubled*: positions that came again on one connection, or were applied twice. *wrong*: deltas
  applied across a gap or to another report, contents with another SHA-256 than said, and resumes that were called whole
  and were not. Each is worked out from what came over the wire (`tests/support/journal.py`), and has to be 0.

| {" | ".join(HEADS)} |
| --- | --- | --- |{" ---: |" * (len(HEADS) - 4)} --- |
{{table}}
"""
