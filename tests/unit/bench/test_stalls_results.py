"""What the benchmark of large reports tells."""

import json

from bench.stalls.results import Result, Row
from bench.stalls.servers import Kind

ROW = Row(Kind.INLINE, 5_005_000, 200, 3, 0.91, 27.04, 0.041, 0.0749, 0.26, 1046.4, 1030.5)


def test_table() -> None:
    """A row for each server, size and number of clients."""
    row = Result({}, [ROW]).table().splitlines()[2]

    cells = [cell.strip() for cell in row.split("|")[1:-1]]
    assert cells == ["5", "200", "gateway, no thread", "1", "27", "0.04", "0.07", "0.26", "1046", "1030"]


def test_json() -> None:
    """The same, with the facts."""
    told = json.loads(json.dumps(Result({"date": "today"}, [ROW]).as_json()))

    assert told["date"] == "today"
    assert told["rows"][0]["kind"] == "gateway, no thread"
    assert told["rows"][0]["longest_ms"] == 27.04


def test_the_page_that_is_kept() -> None:
    """Says when, what was measured, and how."""
    page = Result({"date": "today"}, [ROW]).markdown()

    assert page.startswith("# Large reports, today\n")
    assert "/healthz" in page
    assert "- date: today" in page
