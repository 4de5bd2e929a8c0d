"""The page on capacity says what was measured."""

import re
from pathlib import Path

import pytest

from bench.capacity.document import TABLES, fill, tables
from bench.capacity.figures import FiguresError
from bench.plan import kept, main

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/capacity.md").read_text()


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_are_made_of_the_results(name: str) -> None:
    """Each is what the generator makes of the newest results that are kept."""
    make, needed = TABLES[name]
    results = kept()
    if missing := set(needed) - set(results):
        pytest.skip(f"bench/results holds nothing yet of {', '.join(sorted(missing))}")

    assert fill(PAGE, {name: make(results)}) == PAGE


def test_the_places_of_the_tables() -> None:
    """Are in the page, each once, and no other is."""
    assert sorted(re.findall(r"<!-- table: ([\w-]+) -->", PAGE)) == sorted(TABLES)
    assert PAGE.count("<!-- end -->") == len(TABLES)


def test_a_table_without_a_place() -> None:
    """Is refused, not dropped."""
    with pytest.raises(FiguresError, match="no place, or several, for the table 'gateway'"):
        fill("# Nothing\n", {"gateway": "| |"})


def test_what_is_not_measured_stays() -> None:
    """A table whose results are missing is not made."""
    assert tables({}) == {}


def test_writing_fills_the_page(tmp_path: Path) -> None:
    """With the sample of the benchmark, and what is kept."""
    page = tmp_path / "capacity.md"
    page.write_text(PAGE)

    sample = ROOT / "tests/unit/bench/fanout_sample.json"

    assert main(["--write", str(page), "--results", str(sample), "--output", str(tmp_path)]) == 0

    filled = page.read_text()
    assert (tmp_path / "plan.svg").exists()
    assert "Not measured yet" not in filled
    assert "2,000 bytes of the process" in filled
    assert "$ python -m bench.plan --connections 1000000" in filled
    assert filled.count("\n## ") == PAGE.count("\n## ")
