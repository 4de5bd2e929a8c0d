import dataclasses
import json
from xml.etree import ElementTree

import pytest

from bench.plot import BOTTOM, TOP, Group, Reference, draw, height_of
from bench.receipts import Faults
from bench.results import Result, Row
from bench.writer import Mode

SVG = "{http://www.w3.org/2000/svg}"

ROW = Row(
    clients=100,
    mode=Mode.REPLACE,
    changes=100,
    pace_ms=75.0,
    receipts=10_000,
    mean_ms=7.125,
    p50_ms=6.5,
    p99_ms=12.25,
    max_ms=14.0,
    faults=Faults(),
    conflated=0,
    missed=0,
    file_to_redis_ms=4.5,
    redis_to_hub_ms=1.5,
    watcher_cpu_ms=3.5,
    gateway_cpu_ms=3.0,
    clients_cpu_ms=1.5,
)
FACTS = {"date": "2026-11-23 12:00 UTC", "machine": {"cores": 2}, "load": [0.5, 0.25], "report_bytes": 15_000}


def result(*rows: Row) -> Result:
    return Result(FACTS, rows)


@pytest.mark.parametrize(
    ("changed", "faithful"),
    [
        pytest.param({}, True, id="all"),
        pytest.param({"faults": Faults(lost=1)}, False, id="lost"),
        pytest.param({"conflated": 1}, False, id="conflated"),
        pytest.param({"missed": 1}, False, id="missed"),
    ],
)
def test_only_a_run_without_a_fault_is_faithful(changed: dict[str, object], faithful: bool) -> None:
    """One frame that did not come as it should spoils the run."""
    assert dataclasses.replace(ROW, **changed).is_faithful is faithful  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([ROW], "met", id="both-within"),
        pytest.param([dataclasses.replace(ROW, p50_ms=20.1)], "MISSED", id="p50-above"),
        pytest.param([ROW, dataclasses.replace(ROW, p99_ms=60.1)], "MISSED", id="one-p99-above"),
        pytest.param([dataclasses.replace(ROW, clients=1000, p99_ms=300)], "not measured", id="other-clients"),
    ],
)
def test_the_verdict_is_about_a_hundred_clients(rows: list[Row], expected: str) -> None:
    """The aim holds for 100 clients, in every way of writing."""
    assert result(*rows).verdict().endswith(f": {expected}")


def test_json_holds_everything() -> None:
    """One line of JSON has facts and rows, with the mode by its name."""
    found = json.loads(json.dumps(result(ROW).as_json()))

    assert found["machine"] == {"cores": 2}
    assert found["rows"][0]["mode"] == "replace"
    assert found["rows"][0]["mean_ms"] == 7.12
    assert found["rows"][0]["faults"]["lost"] == 0


def test_the_page_tells_figures_and_facts() -> None:
    """The Markdown has aligned tables, the verdict, and each fact as a line."""
    page = result(ROW, dataclasses.replace(ROW, mode=Mode.IN_PLACE)).markdown()

    assert "|     100 |  replace |    6.5 |   12.2 |   14.0 |    10000 |    0 |   0 |     0 |         0 |\n" in page
    assert "|     100 | in place |" in page
    assert "at 100 clients): met.\n" in page
    assert "- load: 0.5 0.25\n" in page


def test_the_scale_is_logarithmic() -> None:
    """Each factor of ten takes the same height, and nothing leaves the picture."""
    steps = [height_of(value) - height_of(value * 10) for value in (1.0, 10.0, 100.0)]

    assert steps == pytest.approx([(BOTTOM - TOP) / 3] * 3)
    assert height_of(0.01) == BOTTOM
    assert height_of(1e6) == TOP


def test_the_picture_has_a_bar_for_every_value() -> None:
    """It is well-formed XML with the reference line, the labels escaped, and a bar for each value."""
    groups = [Group("1 client", (5.0, 8.0)), Group("2 & more", (6.0, 9.0))]
    root = ElementTree.fromstring(draw("a < b", "note", ["p50", "p99"], groups, Reference("before", 508)))

    words = [text.text for text in root.iter(f"{SVG}text")]
    assert {"a < b", "note", "p50", "p99", "1 client", "2 & more", "before"} <= set(words)
    assert [word for word in words if word in {"5", "8", "6", "9"}] == ["5", "8", "6", "9"]
    # One is the ground, two are the legend's.
    assert len(list(root.iter(f"{SVG}rect"))) == 1 + 2 + 4


def test_the_picture_groups_by_clients() -> None:
    """Both ways of writing stand together for each number of clients."""
    rows = [dataclasses.replace(ROW, clients=clients, mode=mode) for clients in (1, 100) for mode in Mode]
    words = [text.text for text in ElementTree.fromstring(result(*rows).picture()).iter(f"{SVG}text")]

    assert {"1 client", "100 clients", "replace p50", "in place p99"} <= set(words)
