"""Deltas that are proved when they are made."""

from reportcast.contracts.delta import WORTH_BYTES, apply, diff
from reportcast.contracts.report import ReportKind


def check(before: str, after: str, kind: ReportKind) -> bytes | None:
    """Prove a delta; give it."""
    delta = diff(before.encode(), after.encode(), kind)
    if delta is not None:
        assert apply(delta, before.encode()) == after.encode()
        assert len(delta) <= max(len(after.encode()) // 2, WORTH_BYTES)
    return delta
