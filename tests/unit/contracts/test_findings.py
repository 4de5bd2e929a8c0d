import datetime
import json
from typing import Any

import pytest
from reportcast.contracts.findings import ReportTime, parse_time, time_findings
from reportcast.contracts.report import ReportKind, parse_report

from tests.support.reports import audit, audit_bytes

NOW = datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.UTC)
S = 10**9
NOW_NS = int(NOW.timestamp()) * S


def found(raw: bytes, kind: ReportKind = ReportKind.AUDIT) -> dict[str, str]:
    """Give what is odd about a report, by kind."""
    return {finding.kind: finding.message for finding in parse_report(raw, kind).findings}


def repos(*statuses: str) -> list[dict[str, Any]]:
    """Give repositories of these statuses."""
    return [{"name": f"r{number}", "status": status} for number, status in enumerate(statuses)]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        pytest.param({}, None, id="agrees"),
        pytest.param({"summary": {}}, None, id="no-counts"),
        pytest.param({"summary": {"total": 3, "dirty": 1.0, "clean": 1, "extra": 1}}, None, id="all-agree"),
        pytest.param({"summary": {"total": 2}}, None, id="total-without-the-extra-ones"),
        pytest.param(
            {"summary": {"total": 4, "dirty": 1, "clean": 2}},
            "the summary does not match the repos: total 4 (the repos give 3), clean 2 (the repos give 1), at line 1",
            id="total-and-clean",
        ),
        pytest.param({"summary": {"mismatched": 1}}, "mismatched 1 (the repos give 0)", id="mismatched"),
    ],
)
def test_arithmetic(fields: dict[str, Any], sentence: str | None) -> None:
    """The summary's counts have to be those of the repos."""
    raw = json.dumps({"timestamp": "t", "repos": repos("dirty", "clean", "extra"), **fields}).encode()

    message = found(raw).get("summary_mismatch")

    assert (sentence in message) if sentence and message else message is sentence


def test_arithmetic_of_older_producers() -> None:
    """Their repos tell only whether they are dirty; the other counts are not held against them."""
    dirty = [{"name": "a", "uncommittedChanges": True}, {"name": "b", "uncommittedChanges": False}]
    assert found(audit_bytes(repos=dirty, summary={"total": 2, "missing": 7, "dirty": 1, "clean": 1})) == {}
    wrong = found(audit_bytes(repos=dirty, summary={"dirty": 2}))
    assert "dirty 2 (the repos give 1)" in wrong["summary_mismatch"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        pytest.param("abc", None, id="distinct"),
        pytest.param("aba", "the repository 'a' is listed twice", id="one"),
        pytest.param("abab", "the repository 'a' and 1 more are listed twice", id="two"),
    ],
)
def test_repeated_repositories(names: str, words: str | None) -> None:
    """The first is named, the others are counted."""
    listed = [{"name": name, "status": "clean"} for name in names]
    message = found(audit_bytes(repos=listed, summary={})).get("duplicate_repo")

    assert message is None if words is None else words in (message or "")


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b'{"timestamp":"t","repos":[],"repos":[]}', id="top"),
        pytest.param(b'{"timestamp":"t","repos":[{"name":"a","status":"clean","x":1,"x":2}]}', id="repo"),
        pytest.param(b'{"timestamp":"t","repos":[],"summary":{"clean":0,"clean":0}}', id="summary"),
        pytest.param(b'{"timestamp":"t","repos":[],"x":{"a":{"b":1,"b":2}}}', id="nested"),
        pytest.param(b'{"timestamp":"t","repos":[],"x":"\\":","x":1}', id="beside-an-escaped-quote-and-colon"),
        pytest.param(b'{"timestamp":"t","repos":[],"x":"\\ud800","x":1}', id="beside-a-lone-surrogate"),
    ],
)
def test_duplicate_keys(raw: bytes) -> None:
    """Are found in any object of the report, and in a report of any kind."""
    for kind in ReportKind:
        message = found(raw, kind)["duplicate_key"]
        assert message.endswith("; readers take the last")


@pytest.mark.parametrize(
    "raw", [audit_bytes(), audit_bytes(x={"a": ['":'], "b": {"a": 1}}), b'{"timestamp":"t","repos":[]}']
)
def test_distinct_keys(raw: bytes) -> None:
    """Give no finding, nested ones and texts like keys among them."""
    assert found(raw) == {}


def times(timestamp: str | None, last: str | None = None, modified_ns: int = 0, last_ns: int = 0) -> dict[str, str]:
    """Give what is odd about a report's time."""
    listed = time_findings(ReportTime(timestamp, modified_ns), ReportTime(last, last_ns), NOW)
    return {finding.kind: finding.message for finding in listed}


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        pytest.param(("2026-11-23T11:00:00Z", "2026-11-23T10:00:00Z"), None, "", id="onwards"),
        pytest.param(("2026-11-23T12:05:00Z",), None, "", id="within-the-clocks'-difference"),
        pytest.param(
            ("2026-11-23T12:06:00Z",),
            "time_future",
            "report time '2026-11-23T12:06:00Z' is in the future by the watcher's clock",
            id="future",
        ),
        pytest.param(("2026-11-24T02:00:00",), None, "", id="perhaps-local"),
        pytest.param(("2026-11-24T03:00:00",), "time_future", "is in the future", id="local-nowhere"),
        pytest.param(
            ("2026-11-23T10:00:00Z", "2026-11-23T11:00:00+00:00"),
            "time_backwards",
            "report time went backwards: '2026-11-23T10:00:00Z' after '2026-11-23T11:00:00+00:00'",
            id="backwards",
        ),
        pytest.param(("2026-11-23T12:00:00Z", "2026-11-23T12:06:00Z"), None, "", id="after-one-of-the-future"),
        pytest.param(
            ("2026-11-23T12:00:00", "2026-11-24T03:00:00"), None, "", id="after-one-of-the-future-without-zone"
        ),
        pytest.param(
            ("2026-11-23T12:00:00Z", "2026-11-23T12:04:00Z"),
            "time_backwards",
            "",
            id="after-one-that-is-a-little-ahead",
        ),
        pytest.param((None, None, NOW_NS, NOW_NS + 301 * S), None, "", id="after-a-file-of-the-future"),
        pytest.param((None, None, NOW_NS, NOW_NS + 299 * S), "time_backwards", "", id="after-a-file-a-little-ahead"),
        pytest.param((None, None, 0, 2 * S), "time_backwards", "a file of 1970-01-01T00:00:00.000Z", id="older-file"),
        pytest.param((None, None, 0, S), None, "", id="within-the-file-clock's-ticks"),
        pytest.param(("yesterday",), "time_unreadable", "timestamp 'yesterday' is no ISO 8601 time", id="no-time"),
        pytest.param(("0001-01-01T00:00:00+14:00",), "time_unreadable", "no ISO 8601", id="before-the-calendar"),
    ],
)
def test_times(arguments: tuple[Any, ...], kind: str | None, words: str) -> None:
    """A report's time is compared with the last one's and with the clock."""
    listed = times(*arguments)

    assert list(listed) == ([kind] if kind else [])
    assert words in listed.get(kind or "", "")


def test_a_time_in_the_future_is_the_same_finding_at_each_look() -> None:
    """So that a held report is one rejection, not one more at each sweep."""
    time, later = ReportTime("2026-11-24T12:00:00Z", 0), NOW + datetime.timedelta(minutes=1)

    assert time_findings(time, None, NOW) == time_findings(time, None, later)


def test_a_long_time_is_cut_in_sentences() -> None:
    """Its fraction may have any length."""
    fraction = "0" * 10_000
    last = ReportTime(f"2026-11-24T12:00:00.{fraction}Z", 0)
    later = NOW + datetime.timedelta(days=2)
    found = time_findings(last, None, NOW) + time_findings(
        ReportTime(f"2026-11-23T12:00:00.{fraction}Z", 0), last, later
    )

    assert [each.kind for each in found] == ["time_future", "time_backwards"]
    assert all(len(each.message) < 200 for each in found)


def test_the_first_report_has_nothing_to_go_back_from() -> None:
    """Its time is compared with the clock alone."""
    assert time_findings(ReportTime("2026-11-23T11:00:00Z", 0), None, NOW) == []


def test_a_finding_says_where() -> None:
    """Line and column are those of the file as written, not of what is published."""
    raw = json.dumps(audit(summary={"total": 9}), indent=2).encode()

    (finding,) = parse_report(raw).findings

    line = raw.decode().splitlines()[(finding.line or 0) - 1]
    assert line[: (finding.column or 0) - 1] == '  "summary": '


def test_parse_time_takes_a_time_without_a_zone_for_utc() -> None:
    """So that it can be compared."""
    assert parse_time("2026-11-23T12:00:00") == NOW
