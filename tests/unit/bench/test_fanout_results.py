import dataclasses
import json
import math
from typing import Any
from xml.etree import ElementTree

import pytest

from bench.fanout.aims import FLOOR, HEADLINE, HEADLINE_BURST, OURS, verdicts
from bench.fanout.cells import Cell, Row
from bench.fanout.costs import Idle, Stalled
from bench.fanout.results import DEFLATED, Result
from tests.unit.bench.test_fanout_cells import SAMPLE

SVG = "{http://www.w3.org/2000/svg}"
FACTS = {"date": "2026-11-25 12:00 UTC", "command": "python -m bench.fanout", "machine": {"cpu": "a CPU", "cores": 2}}


def row(peer: str, times_floor: float = 1.0, cell: Cell = HEADLINE, **changes: Any) -> Row:
    """Give a row."""
    return Row(peer, cell, 3, dataclasses.replace(SAMPLE, **changes), times_floor)


ROWS = [
    row(FLOOR),
    row(OURS, 1.2, cpu_us=7.2),
    row(OURS, 0.3, HEADLINE_BURST, cpu_us=1.8),
    row(OURS, 2.5, DEFLATED, cpu_us=15.0),
]
IDLE = Idle(OURS, 10_000, True, True, 2345.6, 2300.0, 210.4)
STALLED = Stalled(OURS, 1000, 10, 120, True, 20.0, 22.0, 60.0, 60.5, 0)
RESULT = Result(FACTS, ROWS, [IDLE], [STALLED], {"nchan": "it is not here"})


def test_all_that_was_measured_is_told() -> None:
    """The tables show each figure, the peer that could not be had with its reason, and each aim."""
    text = RESULT.text()

    for word in ("7.20 (1.20)", "100000", "8.0 / 12.0", "2.3 kB", "210 µs", "22.0", "nchan: it is not here"):
        assert word in text
    assert "MISSED" not in text
    assert RESULT.markdown().startswith("# Broadcasting, 2026-11-25 12:00 UTC")


def test_a_cell_that_a_peer_was_not_measured_in_is_empty() -> None:
    """The floor has no burst here: its place says so."""
    line = next(line for line in RESULT.text().splitlines() if "8 in flight" in line)

    assert [cell.strip() for cell in line.strip("|").split("|")] == ["1000 x 300 B, 8 in flight", "-", "1.80 (0.30)"]


def test_the_json_is_json() -> None:
    """What is kept can be read by anything, even where a figure is no number."""
    nothing = dataclasses.replace(SAMPLE, last_p50_ms=math.nan)
    result = dataclasses.replace(RESULT, rows=[Row(OURS, HEADLINE, 1, nothing)])

    found = json.loads(json.dumps(result.as_json(), allow_nan=False))

    assert found["broadcasts"][0]["last_p50_ms"] is None
    assert found["idle"][0]["resident_bytes"] == 2345.6
    assert found["stalled"][0]["after_mib"] == 60.5
    assert found["missing"] == {"nchan": "it is not here"}


def test_the_picture_compares_peers_with_the_floor() -> None:
    """It is an SVG with a bar for each figure of each peer that has all of them; the floor is the line."""
    picture = RESULT.picture()

    assert picture is not None
    root = ElementTree.fromstring(picture)
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert {"7.2", "1.8", "15", OURS, f"{FLOOR}, 300 B: 6.0 µs"} <= set(words)
    assert "100 µs" in words


def test_there_is_no_picture_without_the_floor() -> None:
    """What has nothing to compare with is not drawn."""
    assert dataclasses.replace(RESULT, rows=ROWS[1:]).picture() is None


def test_without_measurements_there_is_still_a_page() -> None:
    """A run of one section says nothing of the others."""
    text = Result(FACTS).text()

    assert "##" not in text
    assert "Aims" in text


@pytest.mark.parametrize(
    ("wrong", "aim"),
    [
        pytest.param(row(OURS, 1.31), "1.3 x", id="too-expensive"),
        pytest.param(row(OURS, 0.41, HEADLINE_BURST), "0.4 x", id="burst-too-expensive"),
        pytest.param(row(OURS, faults=1), "exactly once", id="unfaithful"),
    ],
)
def test_a_missed_aim_is_said(wrong: Row, aim: str) -> None:
    """Each aim can be missed, and by nothing but our own row."""
    missed = [name for name, met in verdicts([wrong], []).items() if not met]

    assert len(missed) == 1
    assert aim in missed[0]
    assert not verdicts([dataclasses.replace(wrong, peer="another")], [])


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"is_complete": False}, id="broadcast-stopped"),
        pytest.param({"with_p99_ms": 31.0}, id="others-wait"),
        pytest.param({"with_p99_ms": math.nan}, id="nothing-came"),
        pytest.param({"faults": 1}, id="others-unfaithful"),
        pytest.param({"after_mib": 69.0}, id="memory-grows"),
    ],
)
def test_stalled_readers_that_matter_are_said(wrong: dict[str, float]) -> None:
    """They must neither hold up the others nor cost memory."""
    one = dataclasses.replace(STALLED, **wrong)  # type: ignore[arg-type]  # one of each

    assert list(verdicts([], [STALLED]).values()) == [True, True]
    assert list(verdicts([], [one]).values()).count(False) == 1
