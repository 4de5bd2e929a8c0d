import dataclasses
import json
import math
from xml.etree import ElementTree

import pytest

from bench.watch import parse_arguments, sections
from bench.watching.flat import Flat
from bench.watching.idle import Idle
from bench.watching.large import Large
from bench.watching.latency import LatencyRow
from bench.watching.results import Result
from bench.watching.ways import Way

ROW = LatencyRow("reportcast", "disk", Way.RENAME, 200, 25.0, 3.0, 8.0, 9.0, missed=0, repeated=0, torn=0)
LARGE = Large(2_900_000, [30.0, 33.0, 54.0], 76.0, 29_000_000, [390.0], 250.0)
IDLE = Idle(0.8, 0.2, 73.0)
FLAT = Flat(100_000, 90.0, 40_000, 60.0, 61.0, is_current=True)
FACTS = {"date": "2026-11-25 12:00 UTC", "machine": {"cores": 2}, "report_bytes": 15_000}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({}, True, id="within"),
        pytest.param({"p50_ms": 15.1}, False, id="p50-above"),
        pytest.param({"p99_ms": 50.1}, False, id="p99-above"),
        pytest.param({"p50_ms": math.nan}, False, id="nothing-heard"),
        pytest.param({"missed": 1}, False, id="missed"),
        pytest.param({"torn": 1}, False, id="torn"),
        pytest.param({"repeated": 1}, False, id="repeated"),
        pytest.param({"subject": "chokidar", "missed": 9}, None, id="a-peer"),
        pytest.param({"way": Way.ONE_WRITE, "p50_ms": 99.0}, None, id="no-aim"),
        pytest.param({"way": Way.CHUNKS, "p50_ms": 40.0, "max_ms": 49.0}, True, id="chunks-within"),
        pytest.param({"way": Way.SLOW, "max_ms": 51.0}, False, id="chunks-above"),
    ],
)
def test_an_aim_is_met_or_not(changed: dict[str, object], expected: bool | None) -> None:
    """Percentiles for what is atomic, every single one for what is written in chunks, and no fault in either."""
    assert dataclasses.replace(ROW, **changed).meets_aim is expected  # type: ignore[arg-type]


def test_costs_are_judged() -> None:
    """Each by its aim."""
    assert all({**LARGE.verdicts, **IDLE.verdicts, **FLAT.verdicts}.values())
    assert not any(dataclasses.replace(LARGE, cpu_ms=[60.0], peak_mib=400.1).verdicts.values())
    assert not any(dataclasses.replace(IDLE, percent=1.0).verdicts.values())
    assert not any(dataclasses.replace(FLAT, late_mib=63.1, is_current=False).verdicts.values())


def test_the_text_tells_what_was_measured() -> None:
    """And of what was not, nothing."""
    text = Result(FACTS, [ROW], idle=dataclasses.replace(IDLE, percent=1.5)).text()

    assert "| reportcast | disk | atomic rename |    3.0 |" in text
    assert "| CPU of 100 idle reports | 1.50 % of a core |" in text
    assert "- atomic ways: p50 <= 15 ms and p99 <= 50 ms: met\n" in text
    assert "- 100 idle reports in < 1 % of a core: MISSED" in text
    assert "repositories" not in text
    assert "chunks" not in text


def test_json_holds_everything() -> None:
    """One line has the facts, the rows, the costs and the aims."""
    whole = Result(FACTS, [ROW], LARGE, IDLE, FLAT).as_json()
    found = json.loads(json.dumps(whole, allow_nan=False))

    assert found["latency"][0]["way"] == "atomic rename"
    assert (found["large"]["median_ms"], found["flat"]["growth_percent"]) == (33, 1.67)
    assert set(found["aims"].values()) == {True}


def test_the_page_and_the_picture_are_made() -> None:
    """The page has the facts; the picture has the watcher's bars of both places, and no peer's."""
    rows = [
        dataclasses.replace(ROW, subject=subject, place=place)
        for subject, place in (("reportcast", "disk"), ("reportcast", "tmpfs"), ("chokidar", "disk"))
    ]
    result = Result(FACTS, rows, LARGE, IDLE, FLAT)
    words = [text.text for text in ElementTree.fromstring(result.picture()).iter("{http://www.w3.org/2000/svg}text")]

    assert {"disk p50", "tmpfs p99", "rename"} <= set(words)
    assert words.count("3") == 2
    assert "- report bytes: 15000\n" in result.markdown()


def test_sections_can_be_chosen() -> None:
    """By name; an unknown one is refused."""
    assert parse_arguments(["--only", "idle,flat"]).only == ["idle", "flat"]
    assert sections("large") == ["large"]
    with pytest.raises(SystemExit):
        parse_arguments(["--only", "everything"])
