"""``reportcast validate`` says what the watcher's gate says, on real files."""

import io
import json
import os
from pathlib import Path

import pytest

from tests.support.cli import Shell
from tests.support.reports import audit, audit_bytes

TORN = audit_bytes(1)[:60]
ODD = audit_bytes(1).replace(b'"name": "repo-1",', b'"name": "repo-1",\n      "name": "repo-1",')


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give the path of a report file."""
    return tmp_path / "GitRepoReport.json"


def test_a_good_report_would_be_published(reportcast: Shell, file: Path) -> None:
    """With what it is, in one line."""
    file.write_bytes(audit_bytes(1))

    done = reportcast("validate", file)

    assert done.code == 0
    assert len(done.lines) == 1
    assert done.lines[0].startswith(f"{file}: would be published (1 repository, of 2026-11-23T12:00:01Z, ")


def test_a_torn_report_is_refused(reportcast: Shell, file: Path) -> None:
    """With the place where it ends, as compilers give it, the line, and that a watcher would wait."""
    file.write_bytes(TORN)

    done = reportcast("validate", file)

    where, line, arrow, summary = done.lines
    assert done.code == 1
    assert where == f"{file}:3:20: syntax: report is not JSON at line 3 column 20 (byte 60): it ends too early"
    assert line.rstrip() == '     3 │   "health_status":'
    assert arrow.index("^") - arrow.index("│") - 2 == 19
    assert "a watcher would wait for the rest" in summary


def test_findings_are_told_with_their_places(reportcast: Shell, file: Path) -> None:
    """They refuse nothing by themselves; with ``--hold`` they do, as with REPORT_HOLD."""
    file.write_bytes(ODD)

    flagged, held = reportcast("validate", file), reportcast("validate", "--hold", "duplicate_key", file)

    assert (flagged.code, held.code) == (0, 1)
    assert flagged.lines[0].startswith(f"{file}:14:7: duplicate_key: the key 'name' stands twice")
    assert "with 1 finding" in flagged.lines[-1]
    assert held.lines[0] == flagged.lines[0]
    assert held.lines[-1].startswith(f"{file}: would be held for duplicate_key, with 1 finding (")
    assert reportcast("validate", "--hold", "all", file).code == 1


def test_all_findings_of_a_held_report_are_told(reportcast: Shell, file: Path) -> None:
    """Not only the one that holds it: who mends it mends them all."""
    twice = audit_bytes(1, repos=2 * [{"name": "nas", "status": "clean"}], note=1)
    file.write_bytes(twice.replace(b'"note"', b'"note": 2, "note"'))

    lines = reportcast("validate", "--hold", "all", file).lines
    told = reportcast("validate", "--hold", "all", "--json", file).told[0]

    assert [kind in line for line in lines for kind in ("duplicate_key: ", "duplicate_repo: ")].count(True) == 2
    assert "held for duplicate_key, with 3 findings" in lines[-1]
    assert (told["published"], told["reason"], len(told["findings"])) == (False, "duplicate_key", 3)


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        pytest.param(ODD.decode().encode("utf-16"), '      "name": "repo-1",', id="utf-16"),
        pytest.param(b"\xef\xbb\xbf" + ODD.replace(b"\n", b"\r\n"), '      "name": "repo-1",', id="bom-crlf"),
    ],
)
def test_the_line_is_shown_of_any_encoding(reportcast: Shell, file: Path, raw: bytes, line: str) -> None:
    """Without what ends it, and with the arrow below the place."""
    file.write_bytes(raw)

    done = reportcast("validate", file)

    assert done.lines[1] == f"    14 │ {line}"
    assert done.lines[2] == "       │       ^"


def test_a_long_line_is_cut_around_the_place(reportcast: Shell, file: Path) -> None:
    """And wide characters before it take two columns."""
    file.write_text(json.dumps(audit(1, note="語" * 200), ensure_ascii=False)[:-60])

    _, line, arrow, _ = reportcast("validate", file).lines

    assert len(line) < 120
    assert line.startswith("     1 │ …")
    assert arrow.endswith("^")


def test_a_generic_report(reportcast: Shell, file: Path) -> None:
    """Is refused on an audit channel, with the hint, and published on another."""
    file.write_text('{"zone": "example"}')

    refused, published = reportcast("validate", file), reportcast("validate", "-c", "dns", file)

    assert (refused.code, published.code) == (1, 0)
    assert "as a generic report, of a channel not named audit or audit-…, it would be published" in refused.lines[-1]
    file.write_text("3")
    assert reportcast("validate", file).lines[-1] == f"{file}: would be refused"


def test_what_cannot_be_read_is_trouble(reportcast: Shell, file: Path) -> None:
    """One sentence on standard error for each, exit code 2, and the others are judged all the same."""
    fifo = file.with_name("fifo")
    os.mkfifo(fifo)
    file.write_bytes(audit_bytes(1))

    done = reportcast("validate", file.with_name("none"), fifo, file)

    assert done.code == 2
    assert len(done.lines) == 1
    none, special = done.err.splitlines()
    assert none == f"reportcast: {file.with_name('none')} does not exist"
    assert "it is a FIFO; a regular file is expected" in special


def test_a_restored_backup_is_found_with_the_last_good_one(reportcast: Shell, file: Path) -> None:
    """By the times in both."""
    last = file.with_name("last.json")
    last.write_bytes(audit_bytes(2))
    file.write_bytes(audit_bytes(1))

    done = reportcast("validate", "--after", last, file)

    assert "time_backwards" in done.lines[0]
    last.write_bytes(TORN)
    assert reportcast("validate", "--after", last, file).err.startswith(f"reportcast: {last} is no good report")


def test_json_for_programs(reportcast: Shell, file: Path) -> None:
    """One object a file, and nothing else."""
    file.write_bytes(ODD)
    torn = file.with_name("torn.json")
    torn.write_bytes(TORN)

    done = reportcast("validate", "--json", file, torn, file.with_name("none"))

    odd, refused, missing = done.told
    assert (done.code, done.err) == (2, "")
    assert (odd["published"], odd["findings"][0]["line"], odd["findings"][0]["column"]) == (True, 14, 7)
    assert (refused["published"], refused["reason"], refused["line"], refused["column"]) == (False, "syntax", 3, 20)
    assert missing["reason"] == "missing"


def test_standard_input(reportcast: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a file, within the same limit."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(TORN)))
    assert reportcast("validate", "-").lines[0].startswith("standard input:3:20: syntax: ")

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(audit_bytes(1))))
    assert "; the limit is 10" in reportcast("validate", "--max-bytes", 10, "-").lines[0]


def test_nothing_speaks_to_the_terminal(reportcast: Shell, file: Path) -> None:
    """Whatever stands in the file."""
    file.write_bytes(b'{"\x1b[31m\x07')

    assert "\x1b" not in reportcast("validate", file).out


def test_an_unknown_finding_is_refused(reportcast: Shell, file: Path) -> None:
    """With those that there are."""
    done = reportcast("validate", "--hold", "odd", file)

    assert done.code == 2
    assert done.err.startswith("reportcast: --hold: 'odd' is no finding; expected all, or some of duplicate_key, ")


def test_a_name_that_is_no_text(reportcast: Shell) -> None:
    """Is told with another character where programs read it, and by people."""
    assert reportcast("validate", "--json", "/none/x\udcff.json").told[0]["file"] == "/none/x\ufffd.json"
    assert reportcast("validate", "/none/x\udcff.json").err == "reportcast: /none/x\ufffd.json does not exist\n"
