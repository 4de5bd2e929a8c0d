"""What is told of a past report without sending it."""

import json
from typing import Any

import msgspec
import pytest
from reportcast.contracts.outline import Outline, outline

from tests.support.reports import audit


def of(report: Any) -> Any:
    """Give the outline as clients read it."""
    told = outline(report if isinstance(report, bytes) else json.dumps(report).encode())
    return json.loads(msgspec.json.encode(told))


def test_an_audit_report() -> None:
    """Its time, its health and the counts of its own summary."""
    report = audit(1, summary={"total": 9, "dirty": 2, "clean": 7, "others": 1, "missing": "no number"})
    assert of(report) == {
        "timestamp": report["timestamp"],
        "health": "green",
        "summary": {"total": 9, "dirty": 2, "clean": 7},
    }


def test_one_without_a_summary() -> None:
    """Its repositories are counted, also those of older producers, as the page counts them."""
    repos = [
        {"name": "a", "status": "missing"},
        {"name": "b", "status": "unheard-of"},
        {"name": "c", "uncommittedChanges": True},
        {"name": "d", "uncommittedChanges": False},
    ]
    assert of({"timestamp": "t", "repos": repos})["summary"] == {"total": 4, "missing": 1, "dirty": 1, "clean": 1}
    assert of({"timestamp": "t", "repos": []})["summary"] == {"total": 0, "dirty": 0, "clean": 0}


@pytest.mark.parametrize(
    ("written", "told"),
    [("1e3", "1e3"), ("-0.50", "-0.50"), ("123456789012345678901234567890", "123456789012345678901234567890")],
)
def test_numbers(written: str, told: str) -> None:
    """Are as the report writes them."""
    report = f'{{"timestamp":"t","repos":[],"summary":{{"total":7,"total":{written}}}}}'.encode()
    assert f'"summary":{{"total":{told}}}'.encode() in msgspec.json.encode(outline(report))


def test_what_is_too_long() -> None:
    """Is left out, so that an outline is short whatever is in the report."""
    report = {"timestamp": "t" * 65, "health_status": "h" * 65, "repos": [], "summary": {"total": 1}}
    body = json.dumps(report).replace(": 1}", f": 1.{'0' * 64}}}").encode()
    assert of(body) == {"timestamp": None, "health": None, "summary": {}}


def test_escaped_lone_surrogates() -> None:
    """Do not keep the rest from being told."""
    body = rb'{"timestamp":"t","health_status":"\ud800","repos":[{"name":"\udfff","status":"clean"}]}'
    assert of(body) == {"timestamp": "t", "health": "\ufffd", "summary": {"total": 1, "dirty": 0, "clean": 1}}


@pytest.mark.parametrize(
    "body", [b"[]", b"[" * 5000 + b"]" * 5000, rb'["\ud800"]', b'{"timestamp":1,"repos":{}}', b"{}"]
)
def test_other_reports(body: bytes) -> None:
    """Tell nothing."""
    assert outline(body) == Outline()


def test_a_generic_report() -> None:
    """Tells its time, if it has one; its summary is something else."""
    assert of({"timestamp": "t", "summary": {"total": 1}}) == {"timestamp": "t", "health": None, "summary": None}
