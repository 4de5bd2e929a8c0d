import datetime

import pytest
from reportcast.contracts.errors import ReportHeld
from reportcast.contracts.findings import FindingKind
from reportcast.contracts.report import parse_report
from watcher.gate import Dated, judge

from tests.support.reports import MOMENT, audit_bytes

LATER = MOMENT + datetime.timedelta(hours=1)
WRONG = audit_bytes(summary={"total": 9}, timestamp="2026-11-23T11:00:00Z")


def dated(raw: bytes) -> Dated:
    """Give a report from 1970, by its file."""
    return Dated(parse_report(raw), 0)


def test_findings_of_content_and_time_come_together() -> None:
    """What the report says of itself, and what its time says beside the last one's."""
    findings = judge(dated(WRONG), dated(audit_bytes(1)), LATER, ())

    assert [finding.kind for finding in findings] == ["summary_mismatch", "time_backwards"]


def test_a_report_in_order_has_none() -> None:
    """Nor has the first one."""
    assert judge(dated(audit_bytes(2)), dated(audit_bytes(1)), LATER, list(FindingKind)) == ()
    assert judge(dated(audit_bytes(2)), None, LATER, list(FindingKind)) == ()


@pytest.mark.parametrize(
    ("hold", "line"),
    [pytest.param("summary_mismatch", 4, id="with-a-place"), pytest.param("time_backwards", None, id="without")],
)
def test_what_is_held(hold: str, line: int | None) -> None:
    """Is refused under the finding's own name, with its sentence and place."""
    with pytest.raises(ReportHeld) as caught:
        judge(dated(WRONG), dated(audit_bytes(1)), LATER, [hold])

    assert caught.value.reason == hold
    assert (caught.value.place.line if caught.value.place else None) == line
    assert not caught.value.may_be_torn
