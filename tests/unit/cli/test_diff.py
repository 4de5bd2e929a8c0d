"""``reportcast diff`` says what changed, on real files."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from reportcast.contracts.delta import apply
from reportcast.contracts.report import ReportKind, parse_report
from reportcast_cli.changes import Ignored, comparable, compare
from reportcast_cli.words import headline

from tests.support.cli import Shell
from tests.support.reports import audit, audit_bytes

REPOS = [
    {"name": "gitops", "status": "clean", "local_path": "/srv/a"},
    {"name": "nas", "status": "dirty", "mitigation": "git push"},
    {"name": "dns", "status": "clean"},
    {"name": "api", "status": "clean"},
]
AFTER = [
    {"name": "api", "status": "clean"},
    {"name": "gitops", "status": "dirty", "local_path": "/srv/b"},
    {"name": "nas", "status": "dirty", "mitigation": "git pull", "remote": "x"},
    {"name": "new\x1b[31m", "status": "missing"},
]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Give the paths of two reports."""
    files = tmp_path / "a.json", tmp_path / "b.json"
    files[0].write_bytes(audit_bytes(1, repos=REPOS, old=1))
    files[1].write_bytes(audit_bytes(2, repos=AFTER, summary={"total": 4, "clean": 1}))
    return files


def test_what_changed_in_words(reportcast: Shell, files: tuple[Path, Path]) -> None:
    """State changes first, then what is new, gone, and otherwise changed; then the whole."""
    done = reportcast("diff", *files)

    assert done.code == 1
    assert done.lines == [
        f"{files[0]} (2026-11-23T12:00:01Z) → {files[1]} (2026-11-23T12:00:02Z)",
        "1 repository changed state, 1 added, 1 removed, 1 changed otherwise",
        "~ gitops       clean → dirty; local_path /srv/a → /srv/b",
        "+ new\\x1b[31m  added, missing",
        "- dns          removed, was clean",
        "~ nas          mitigation git push → git pull, remote x (new)",
        "  1 repository with another place in the list",
        "~ summary: total 1 → 4, missing 0 (gone), extra 0 (gone), dirty 0 (gone)",
        "~ timestamp 2026-11-23T12:00:01Z → 2026-11-23T12:00:02Z",
        "- old 1 (gone)",
    ]


def test_what_is_the_same(reportcast: Shell, files: tuple[Path, Path]) -> None:
    """Says nothing, whatever the white space and the order of keys; nor if all that changed is not minded."""
    files[1].write_text(json.dumps(dict(reversed(audit(1, repos=REPOS, old=1).items()))))
    assert reportcast("diff", *files) == reportcast("diff", files[0], files[0])

    files[1].write_bytes(audit_bytes(2, repos=REPOS, old=1))
    assert reportcast("diff", *files).code == 1
    same = reportcast("diff", "--ignore", "timestamp", *files)
    assert (same.code, same.out) == (0, "")


def test_places_that_may_differ(reportcast: Shell, files: tuple[Path, Path]) -> None:
    """Reach into repositories, with what is below them; of one in which nothing changed that is said."""
    every = ["repos", "summary", "timestamp", "old"]

    def diff(*places: str) -> tuple[int, str]:
        done = reportcast("diff", *(word for place in places for word in ("--ignore", place)), *files)
        return done.code, done.out

    assert diff(*every) == (0, "")
    assert diff("repos[*]", "repos", "summary.*", "timestamp", "o*d") == (0, "")
    assert "local_path" in diff(*every[1:])[1]
    assert "local_path" not in diff("repos[*].local_path")[1]
    assert "→ dirty" not in diff("repos[gitops].status")[1]
    assert diff("tiemstamp")[1].splitlines()[-1] == "nothing that changed is at tiemstamp, which --ignore names"
    refused = reportcast("diff", "--json", "--ignore", "timestamp", *files)
    assert (refused.code, refused.out) == (2, "")
    assert "--ignore cannot go with --json" in refused.err


def test_the_delta_for_programs(reportcast: Shell, files: tuple[Path, Path]) -> None:
    """It makes the second of the first, as clients are sent it."""
    before, after = (parse_report(file.read_bytes()) for file in files)

    done = reportcast("diff", "--json", *files)

    assert done.code == 1
    assert done.told[0]["format"] == "repos"
    assert apply(done.out.strip().encode(), before.body) == after.body
    assert reportcast("diff", "--json", files[0], files[0]).code == 0
    files[1].write_text("[" + ",".join(f'"{number:09}"' for number in range(999)) + "]")
    whole = reportcast("diff", "--json", *files).out.strip().encode()
    assert apply(whole, before.body) == parse_report(files[1].read_bytes(), ReportKind.GENERIC).body


def test_generic_reports(reportcast: Shell, files: tuple[Path, Path]) -> None:
    """By their places; an audit report beside one that is none is taken as generic, which is said."""
    files[1].write_text('{"zone": "example"}')
    mixed = reportcast("diff", *files)
    files[0].write_text('{"zone": "sample"}')

    generic = reportcast("diff", *files)

    assert generic.lines[1:] == ["1 value changed", "~ zone sample → example"]
    assert mixed.lines[2].startswith(f"compared as generic reports, because {files[1]} is no audit report: ")
    assert "+ zone example (new)" in mixed.lines


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        pytest.param({}, {"mark": 2}, "nothing changed", id="time-alone"),
        pytest.param({"repos": REPOS}, {"repos": REPOS[1:] + REPOS[:1]}, "1 moved", id="moved"),
        pytest.param({"health_status": "red"}, {}, "1 value changed", id="member"),
        pytest.param(
            {"repos": [{"name": "a", "uncommittedChanges": False}]},
            {"repos": [{"name": "a", "uncommittedChanges": True}]},
            "1 repository changed state",
            id="older-producer",
        ),
        pytest.param(
            {"repos": [{"name": "a", "status": "clean", "x": 1}]},
            {"repos": [{"x": 1, "name": "a", "status": "clean"}]},
            "nothing changed",
            id="order-of-keys",
        ),
        pytest.param({}, {"repos": []}, "1 removed", id="none-left"),
    ],
)
def test_the_headline(before: dict[str, Any], after: dict[str, Any], words: str) -> None:
    """In one sentence."""
    old, new = (comparable(parse_report(json.dumps(audit(0) | each).encode()).body) for each in (before, after))
    changes = compare(old, new, ReportKind.AUDIT).without(Ignored(["mark"]))

    assert headline(changes) == words
    assert bool(changes) == (words != "nothing changed")


def test_names_that_msgspec_does_not_read(reportcast: Shell, files: tuple[Path, Path]) -> None:
    """Lone surrogates, as Python writes a file name that is not UTF-8."""
    for file, status in zip(files, ("clean", "dirty"), strict=True):
        file.write_text(json.dumps(audit(1, repos=[{"name": "a\udcff", "status": status}])))

    assert reportcast("diff", *files).lines[2] == "~ a\ufffd  clean → dirty"


def test_what_is_nested_deeply_is_told_as_a_whole(reportcast: Shell, files: tuple[Path, Path]) -> None:
    """Nearly as deeply as a report may be."""
    for file, value in zip(files, b"12", strict=True):
        file.write_bytes(b'{"a":' * 700 + bytes([value]) + b"}" * 700)

    done = reportcast("diff", *files)

    assert (done.code, done.lines[1]) == (1, "1 value changed")


def test_standard_input(reportcast: Shell, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """For one of them."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(files[0].read_bytes())))

    assert reportcast("diff", "-", files[1]).lines[0].startswith("- (2026-11-23T12:00:01Z) → ")
    assert reportcast("diff", "-", "-").code == 2


def test_too_much_on_standard_input(reportcast: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is not taken for what its beginning is."""
    monkeypatch.setattr("reportcast_cli.diff.MAX_BYTES", 3)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"[1]\n")))

    assert reportcast("diff", "-", "x").err == (
        "reportcast: standard input is larger than 3 bytes; that many are read\n"
    )


def test_many_values_of_one_repository(reportcast: Shell, files: tuple[Path, Path]) -> None:
    """Make no line that nobody can read."""
    for file, mark in zip(files, "xy", strict=True):
        repo = {"name": "nas", "status": "clean", **{f"m{number:02}": mark for number in range(20)}}
        file.write_bytes(audit_bytes(1, repos=[repo]))

    line = reportcast("diff", *files).lines[2]

    assert line.startswith("~ nas  m00 x → y, m01 x → y, ")
    assert line.endswith(", m07 x → y and 12 more")


def test_what_cannot_be_compared(reportcast: Shell, files: tuple[Path, Path]) -> None:
    """One sentence, and exit code 2."""
    files[1].write_bytes(audit_bytes(1)[:60])

    torn, missing = reportcast("diff", *files), reportcast("diff", files[0], "/none/c.json")

    assert (torn.code, missing.code) == (2, 2)
    assert torn.err == (
        f"reportcast: {files[1]} cannot be compared: "
        "report is not JSON at line 3 column 20 (byte 60): it ends too early\n"
    )
    assert missing.err == "reportcast: /none/c.json does not exist\n"
