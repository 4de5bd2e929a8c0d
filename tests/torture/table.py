"""The table of all cases, as a page of Markdown."""

import dataclasses
import platform
from collections.abc import Iterable, Sequence

from tests.torture.places import NAMES

CASES = tuple(f"W{number}" for number in range(1, 25))
COMMAND = "make torture"


@dataclasses.dataclass
class Row:
    """
    What one test found.

    Attributes:
        case: W1 to W24; empty for a test that belongs to none.
        what: Its claim.
        writer: Who wrote, or which variant of the case it was.
        place: The file system's name.
        result: ``passed``, ``failed`` or ``skipped``.
        note: What is told beside the result.
        times_ms: From each change to its publication.
    """

    case: str
    what: str
    writer: str
    place: str
    result: str = "skipped"
    note: str = ""
    times_ms: list[float] = dataclasses.field(default_factory=list)

    @property
    def cell(self) -> str:
        """The result with the median and the longest time."""
        if not self.times_ms:
            return f"{self.result}{self.note} | - "
        times = sorted(self.times_ms)
        median, longest = (f"{ms:.0f}" for ms in (times[len(times) // 2], times[-1]))
        return f"{self.result}{self.note} | {median if len(times) == 1 else f'{median} ({longest})'} "


def summary(rows: Iterable[Row]) -> str:
    """Say how many of the cases passed, per file system; one passed if all of its tests did."""
    counts = dict.fromkeys(NAMES, 0)
    listed = list(rows)
    for place in NAMES:
        for case in CASES:
            results = [row.result for row in listed if (row.case, row.place) == (case, place)]
            counts[place] += bool(results) and set(results) == {"passed"}
    if len(set(counts.values())) == 1:
        return f"{counts[NAMES[0]]} of {len(CASES)} on {', '.join(NAMES)}"
    return ", ".join(f"{count} of {len(CASES)} on {place}" for place, count in counts.items())


def page(rows: Sequence[Row], date: str) -> str:
    """
    Give the page.

    Args:
        rows: In any order.
        date: Of the run.
    """
    lines: dict[tuple[int, str, str, str], dict[str, Row]] = {}
    for row in rows:
        number = int(row.case[1:]) if row.case else len(CASES) + 1
        lines.setdefault((number, row.case or "-", row.writer, row.what), {})[row.place] = row
    heads = "".join(f" {place} | ms |" for place in NAMES)
    table = [f"| case | what | writer or variant |{heads}", "| --- | --- | --- |" + " --- | ---: |" * len(NAMES)]
    for (_, case, writer, what), found in sorted(lines.items(), key=lambda line: line[0]):
        cells = "".join(f" {found[place].cell}|" if place in found else " - | - |" for place in NAMES)
        table.append(f"| {case} | {what} | {writer} |{cells}")
    return _PAGE.format(
        date=date, system=f"{platform.system()} {platform.release()}", summary=summary(rows), table="\n".join(table)
    )


_PAGE = f"""# The watcher under torture

What the watcher does with every way of writing, and of breaking, a report file that we know of, on three file systems.
Each row is a test in `tests/torture` with real writers and a real watcher. It passes if the expected reports were
published, each once and in order; if nothing else ever was; if the last good one was served all the while; and if a
metric tells of it.

{{summary}}: {{date}}, {{system}}, by `{COMMAND}`, which writes this page.

ms: from the last change of the file (or the rename, the swap, the permission) to its publication; where there were
several, the median and, in parentheses, the longest. Changes that no event tells of wait for the sweep or the poll,
whose intervals are those of the test.

{{table}}
"""
