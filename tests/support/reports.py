"""Reports and readings for tests."""

import dataclasses
import datetime
import json
from typing import Any

from reportcast.contracts.delta import diff
from reportcast.contracts.messages import Publication
from reportcast.contracts.report import Report, ReportKind, parse_report

MOMENT = datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.UTC)


def audit(mark: int | str = 0, **fields: Any) -> dict[str, Any]:
    """Give an audit report's fields; ``mark`` makes it differ from others, and a number is its second."""
    moment = MOMENT + datetime.timedelta(seconds=mark if isinstance(mark, int) else 0)
    return {
        "timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "health_status": "green",
        "summary": {"total": 1, "missing": 0, "extra": 0, "dirty": 0, "clean": 1},
        "repos": [{"name": f"repo-{mark}", "status": "clean", "local_path": "/srv/repo"}],
        **fields,
    }


def audit_bytes(mark: int | str = 0, **fields: Any) -> bytes:
    """Give a report file's bytes, as ``jq`` writes them."""
    return json.dumps(audit(mark, **fields), indent=2).encode()


def report(mark: int | str = 0, **fields: Any) -> Report:
    """Give a parsed report."""
    return parse_report(audit_bytes(mark, **fields))


def publication(mark: int | str = 0, stem: str | None = None, **fields: Any) -> Publication:
    """Give a report on its way to the broker."""
    content = report(mark, **fields)
    return Publication(stem or content.stem or "unnamed", content.digest, MOMENT, MOMENT, content.body)


def change(before: int | str, after: int | str) -> Publication:
    """Give the publication of ``after`` on its way, as what is changed of ``before``."""
    old, new = publication(before), publication(after)
    return dataclasses.replace(new, base=old.digest, delta=diff(old.body, new.body, ReportKind.AUDIT) or b"")
