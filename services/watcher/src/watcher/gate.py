"""
Whether a valid report is published: flagged with what is odd about it, or held. Pure.

Source: docs/protocol.md, Findings.
"""

import dataclasses
import datetime
from collections.abc import Collection

from reportcast.contracts.errors import Place, ReportHeld
from reportcast.contracts.findings import ReportTime, time_findings
from reportcast.contracts.messages import Finding
from reportcast.contracts.report import Report


@dataclasses.dataclass(frozen=True, slots=True)
class Dated:
    """
    A report and when it is from.

    Attributes:
        modified_ns: The file's time, since 1970.
    """

    report: Report
    modified_ns: int

    @property
    def time(self) -> ReportTime:
        """What its time is compared by."""
        return ReportTime(self.report.timestamp, self.modified_ns)


def judge(dated: Dated, last: Dated | None, now: datetime.datetime, hold: Collection[str]) -> tuple[Finding, ...]:
    """
    Give what is odd about a report.

    Args:
        dated: The report.
        last: The last good one; ``None`` if there was none.
        now: Aware.
        hold: Kinds of findings with which a report is not published.

    Raises:
        ReportHeld: If it has a finding of such a kind.
    """
    findings = (*dated.report.findings, *time_findings(dated.time, last.time if last else None, now))
    for finding in findings:
        if finding.kind in hold:
            place = Place(finding.line, finding.column or 1, 0) if finding.line else None
            raise ReportHeld(finding.kind, finding.message, place)
    return findings
