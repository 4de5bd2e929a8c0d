import json
from pathlib import Path

import pytest
from reportcast.contracts.report import parse_report

from bench.writer import CHUNKS, Mode, Writer, chunks_of, report_bytes


def test_every_change_is_a_valid_report_of_its_own() -> None:
    """The product takes each report, and no two are the same content."""
    reports = [parse_report(report_bytes(change, repos=50)) for change in range(1, 121)]

    assert len({report.digest for report in reports}) == len(reports)
    assert {len(report.repos) for report in reports} == {50}


def test_the_last_chunk_completes_the_report() -> None:
    """Without its last piece a report is torn: so its clock may start there."""
    content = report_bytes(1, repos=50)
    chunks = chunks_of(content)

    assert b"".join(chunks) == content
    assert len(chunks) == CHUNKS
    with pytest.raises(json.JSONDecodeError):
        json.loads(b"".join(chunks[:-1]))


@pytest.mark.parametrize("mode", Mode, ids=lambda mode: mode.value)
def test_a_writer_numbers_its_changes(mode: Mode, tmp_path: Path) -> None:
    """The file holds the newest change, nothing stays beside it, and every change has its start."""
    writer = Writer(tmp_path / "report.json", mode, repos=3)
    writer.write()
    writer.write()

    assert (tmp_path / "report.json").read_bytes() == report_bytes(2, repos=3)
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
    assert writer.began_ns[1] < writer.began_ns[2]
