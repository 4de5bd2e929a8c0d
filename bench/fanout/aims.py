"""What the gateway has to reach. Pure."""

from collections.abc import Sequence

from bench.fanout.cells import Cell, Row
from bench.fanout.costs import FLAT_MIB, Stalled

OURS, FLOOR = "Reportcast", "C send() loop"
HEADLINE, HEADLINE_BURST = Cell(1000, 300), Cell(1000, 300, in_flight=8)
AIM_TIMES, AIM_BURST_TIMES = 1.3, 0.4
# What others may wait longer because some do not read.
AIM_STALLED_TIMES = 1.2


def verdicts(rows: Sequence[Row], stalled: Sequence[Stalled]) -> dict[str, bool]:
    """Say of each aim that was measured whether it is met."""
    ours = [row for row in rows if row.peer == OURS]
    found = {}
    for cell, most in ((HEADLINE, AIM_TIMES), (HEADLINE_BURST, AIM_BURST_TIMES)):
        for row in ours:
            if row.cell == cell and row.times_floor is not None:
                found[f"{cell.title}: at most {most:g} x the C loop"] = row.times_floor <= most
    if ours:
        found["every client gets every event, in order, exactly once"] = not any(row.sample.faults for row in ours)
    for one in stalled:
        if one.peer == OURS:
            found |= _stalled_verdicts(one)
    return found


def _stalled_verdicts(one: Stalled) -> dict[str, bool]:
    times = f"1 % that do not read: the others' p99 at most {AIM_STALLED_TIMES:g} x what it is without them"
    return {
        times: one.is_complete and not one.faults and one.with_p99_ms <= AIM_STALLED_TIMES * one.without_p99_ms,
        f"1 % that do not read: memory grows by at most {FLAT_MIB:g} MiB": one.is_flat,
    }
