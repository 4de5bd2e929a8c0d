"""What one run found, and how it is told: tables, JSON, picture. Pure."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from bench.plot import Group, draw
from bench.results import REPLACED, aligned, facts_list
from bench.watching.flat import Flat
from bench.watching.idle import REPORTS, Idle
from bench.watching.large import MANY_REPOS, REPOS, Large
from bench.watching.latency import AIM_P50_MS, AIM_P99_MS, AIM_SLOW_MS, OURS, LatencyRow
from bench.watching.ways import Way

MEASURED = (
    "From the call that makes the new content whole (the rename or swap; in place the last `write()`) until a\n"
    "subscriber of the broker has the message; one monotonic clock; percentiles by nearest rank. Peers stop their\n"
    "clock once they have parsed what they read: they prove, compare, store and publish nothing. *missed*: changes\n"
    "never heard of; *repeated*: heard of again; *torn*: reads or messages that were no whole JSON."
)
SHORT = {Way.CHUNKS: "20 chunks", Way.SLOW: "60 in 2 s", Way.RENAME: "rename"}


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """
    One run; what was not measured is empty or ``None``.

    Attributes:
        facts: When, where and with what; JSON as it is.
    """

    facts: dict[str, Any]
    latency: Sequence[LatencyRow] = ()
    large: Large | None = None
    idle: Idle | None = None
    flat: Flat | None = None

    def as_json(self) -> dict[str, Any]:
        """Give all of it."""
        parts = {name: part.as_json() for name, part in self._parts() if part}
        rows = {"latency": [row.as_json() for row in self.latency]} if self.latency else {}
        return {**self.facts, **rows, **parts, "aims": self.verdicts()}

    def verdicts(self) -> dict[str, bool]:
        """Say of each aim that was measured whether it is met."""
        found = {}
        for name, is_judged in (
            (f"atomic ways: p50 <= {AIM_P50_MS:g} ms and p99 <= {AIM_P99_MS:g} ms", True),
            (f"in chunks: within {AIM_SLOW_MS:g} ms of the last write", False),
        ):
            judged = [row.meets_aim for row in self._ours() if row.way.is_atomic is is_judged]
            if any(met is not None for met in judged):
                found[name] = False not in judged
        for _, part in self._parts():
            found |= part.verdicts if part else {}
        return found

    def text(self) -> str:
        """Give tables and verdicts, as Markdown that reads well as it is."""
        parts = [self.latency_table()] if self.latency else []
        parts += [self.other_table()] if any(part for _, part in self._parts()) else []
        aims = [f"- {name}: {'met' if met else 'MISSED'}" for name, met in self.verdicts().items()]
        return "\n\n".join([*parts, "\n".join(["Aims:", "", *aims])])

    def latency_table(self) -> str:
        """Give who needed how long, and what they got wrong."""
        head = [
            "subject",
            "on",
            "way",
            "p50 ms",
            "p99 ms",
            "max ms",
            "changes",
            "every ms",
            "missed",
            "repeated",
            "torn",
        ]
        cells = [head]
        for row in self.latency:
            timing = [f"{value:.1f}" for value in (row.p50_ms, row.p99_ms, row.max_ms)]
            counts = [row.changes, round(row.pace_ms), row.missed, row.repeated, row.torn]
            cells.append([row.subject, row.place, row.way.value, *timing, *map(str, counts)])
        return aligned(cells)

    def other_table(self) -> str:
        """Give the costs."""
        cells = [["cost", "found"]]
        if large := self.large:
            cells.append(
                [f"CPU of a change of {REPOS} repositories ({large.bytes / 1e6:.1f} MB)", _ms(large.median_ms)]
            )
            cells.append([f"memory afterwards, {REPOS} repositories", _mib(large.idle_mib)])
            cells.append(
                [f"peak memory, {MANY_REPOS} repositories ({large.many_bytes / 1e6:.1f} MB)", _mib(large.peak_mib)]
            )
        if idle := self.idle:
            cells.append([f"CPU of {REPORTS} idle reports", f"{idle.percent:.2f} % of a core"])
            cells.append(["CPU of Redis meanwhile", f"{idle.redis_percent:.2f} % of a core"])
            cells.append([f"memory, {REPORTS} reports", _mib(idle.resident_mib)])
        if flat := self.flat:
            pace = f"{flat.changes} changes in {flat.seconds:.0f} s, {flat.published} published"
            cells.append([f"memory after a tenth of {pace}", _mib(flat.early_mib)])
            cells.append(["memory at their end", f"{_mib(flat.late_mib)} ({flat.growth_percent:+.1f} %)"])
        return aligned(cells)

    def markdown(self) -> str:
        """Give the page that is kept."""
        return (
            "\n\n".join([f"# The watcher, {self.facts['date']}", MEASURED, self.text(), facts_list(self.facts)]) + "\n"
        )

    def picture(self) -> str:
        """Give the SVG: the watcher's own rows."""
        places = list(dict.fromkeys(row.place for row in self._ours()))
        groups = []
        for way in dict.fromkeys(row.way for row in self._ours()):
            values = [(row.p50_ms, row.p99_ms) for row in self._ours() if row.way is way]
            groups.append(Group(SHORT.get(way, way.value), tuple(value for pair in values for value in pair)))
        return draw(
            "From the file's change to the message in Redis",
            f"{self.facts['date']}, {self.facts['machine']['cores']} cores, {self.facts['report_bytes'] / 1000:.0f} kB",
            [f"{place} {percentile}" for place in places for percentile in ("p50", "p99")],
            groups,
            REPLACED,
        )

    def _ours(self) -> list[LatencyRow]:
        return [row for row in self.latency if row.subject == OURS]

    def _parts(self) -> list[tuple[str, Large | Idle | Flat | None]]:
        return [("large", self.large), ("idle", self.idle), ("flat", self.flat)]


def _ms(value: float) -> str:
    return f"{value:.1f} ms"


def _mib(value: float) -> str:
    return f"{value:.0f} MiB"
