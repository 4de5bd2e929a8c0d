"""The page on faults says what the suite found, of all of its cases."""

import ast
from pathlib import Path

from tests.faults.table import HEADS, Row, page
from tests.support.journal import Verdict

ROOT = Path(__file__).parents[3]


def cells(text: str) -> list[dict[str, str]]:
    """Give the rows of the page's table, by head."""
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    return [dict(zip(HEADS, line, strict=True)) for line in lines[2:]]


def test_every_fault_is_on_the_page() -> None:
    """And every one was healed, at full size, with nothing lost, doubled or wrong."""
    rows = cells((ROOT / "docs/faults.md").read_text())
    cases = {
        " ".join((ast.get_docstring(node) or "").split()).partition(": ")[0]
        for path in sorted((ROOT / "tests/faults").glob("test_*.py"))
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.AsyncFunctionDef) and node.name.startswith("test_")
    }

    assert {row["fault"] for row in rows} == cases
    assert {row["result"] for row in rows} == {"passed"}
    assert {row["clients"] for row in rows} == {"200"}
    assert all(int(row["changes"]) >= 100 and float(row["healed s"]) < 2 for row in rows)
    assert {(row["lost"], row["doubled"], row["wrong"]) for row in rows} == {("0", "0", "0")}


def test_a_bad_result_shows() -> None:
    """Whatever it is that was found."""
    verdict = Verdict(lost=1, went_back=1, duplicated=3, across_gap=2, broken_promises=2, recovered=5, refused=6)
    bad = Row("a", "it ends", "failed", "a note", 200, 101, [0.5, 2.25], 6.04, verdict)

    [row, other] = cells(page([Row("b", "it ends"), bad], "today"))

    assert list(row.values()) == [
        *("a", "it ends", "failed", "200", "101", "2.25", "6.0", "5 / 6", "2", "3", "4", "a note"),
    ]
    assert (other["fault"], other["result"], other["healed s"]) == ("b", "skipped", "-")
    assert "0 of 2 passed" in page([Row("b", "it ends"), bad], "today")
