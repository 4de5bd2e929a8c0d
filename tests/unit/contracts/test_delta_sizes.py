"""What a delta of reports as they are written says, and how little it takes."""

import json
import tracemalloc
from typing import Any

import pytest
from reportcast.contracts.delta import apply, diff
from reportcast.contracts.report import ReportKind, parse_report

from tests.golden.cases import A, B, audit
from tests.support.deltas import check


def large(count: int, **changes: Any) -> dict[str, Any]:
    """Give an audit report as the producer writes it."""
    repos = [
        {
            "name": f"repo-{number}",
            "status": "clean",
            "clone_url": f"https://github.com/example/repo-{number}.git",
            "local_path": f"/home/user/repos/repo-{number}",
            "remote_url": f"git@github.com:example/repo-{number}.git",
            "dashboard_link": f"https://dash.example/repo/{number}",
            "mitigation": "none needed",
            "file_status": {"README.md": True, "LICENSE": False},
        }
        for number in range(count)
    ]
    summary = {"total": count, "missing": 0, "extra": 0, "dirty": 0, "clean": count}
    return {
        "timestamp": "2026-11-23T12:00:00Z",
        "health_status": "green",
        "summary": summary,
        "repos": repos,
        **changes,
    }


def body(value: object) -> bytes:
    """Give compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def test_one_changed_repository_of_a_thousand_takes_little() -> None:
    """A status, a field, the time and the summary: less than 500 bytes of 280 KB."""
    before = large(1000)
    after = large(1000, timestamp="2026-11-23T12:05:00Z", health_status="yellow")
    after["summary"] |= {"dirty": 1, "clean": 999}
    after["repos"][500] |= {"status": "dirty", "mitigation": "commit or stash the changes"}

    delta = check(body(before).decode(), body(after).decode(), ReportKind.AUDIT)

    assert len(body(before)) > 250_000
    assert delta is not None
    assert len(delta) < 500
    assert json.loads(delta) == {
        "format": "repos",
        "set": {"timestamp": "2026-11-23T12:05:00Z", "health_status": "yellow"},
        "summary": {"set": {"dirty": 1, "clean": 999}},
        "changed": [
            {"at": 500, "name": "repo-500", "from": "clean", "to": "dirty"}
            | {"set": {"status": "dirty", "mitigation": "commit or stash the changes"}}
        ],
    }


@pytest.mark.parametrize("kind", list(ReportKind))
@pytest.mark.parametrize("text", ['{"timestamp":"","repos":[]}', audit(A, B)])
def test_equal_reports_have_an_empty_delta(text: str, kind: ReportKind) -> None:
    """Even where it is longer than the report."""
    delta = check(text, text, kind)

    assert delta in (b'{"format":"repos"}', b'{"format":"json-patch","patch":[]}')


def test_a_report_of_16_mib_takes_little_memory() -> None:
    """Neither making nor applying builds what it holds."""
    before = large(50_000)
    after = large(50_000, timestamp="later")
    after["repos"][7]["status"] = "dirty"
    old, new = body(before), body(after)
    del before, after
    for kind in ReportKind:
        tracemalloc.start()
        delta = diff(old, new, kind)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 12 * len(old), kind
        assert delta is not None
        assert apply(delta, old) == new


def test_reports_as_they_are_parsed() -> None:
    """What the watcher reads of an indented file has a delta to the next one."""
    before, after = (
        parse_report(json.dumps(large(50, timestamp=time), indent=2).encode()).body
        for time in ("2026-11-23", "2026-11-24")
    )

    assert diff(before, after, ReportKind.AUDIT) == b'{"format":"repos","set":{"timestamp":"2026-11-24"}}'


def test_a_summary_that_is_no_object() -> None:
    """Is set as a whole, whether or not it was one."""
    delta = check(audit(A, summary="7"), audit(A), ReportKind.AUDIT)

    assert delta == b'{"format":"repos","set":{"summary":{"total":3,"dirty":0}}}'
