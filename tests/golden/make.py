"""Writes the files beside it, which the tests of both languages read. Run by ``make golden``; look at what changed."""

import hashlib
import json
from pathlib import Path
from typing import Any

from reportcast.contracts.delta import apply, diff
from reportcast.contracts.report import ReportKind
from reportcast.contracts.view import Filter, view

from tests.golden.cases import APPLIED, DIFFED, REFUSED, VIEWED

FOLDER = Path(__file__).parent


def deltas() -> list[dict[str, Any]]:
    """Give what ``diff`` makes of two reports, and what ``apply`` makes of deltas that it would not make."""
    made = []
    for name, kind, before, after in DIFFED:
        delta = diff(before.encode(), after.encode(), ReportKind(kind))
        assert delta is not None, name
        made.append({"name": name, "kind": kind, "before": before, "after": after, "delta": delta.decode()})
    for name, kind, before, delta_text in APPLIED:
        after = apply(delta_text.encode(), before.encode()).decode()
        made.append({"name": name, "kind": kind, "before": before, "after": after, "delta": delta_text})
    return made


def views() -> list[dict[str, Any]]:
    """Give what ``view`` makes of reports."""
    made = []
    for name, body, statuses, names in VIEWED:
        text = view(body.encode(), Filter(frozenset(statuses), frozenset(names)))
        digest = hashlib.sha256(text).hexdigest()
        made.append(
            {
                "name": name,
                "body": body,
                "statuses": statuses,
                "names": names,
                "view": text.decode(),
                "digest": digest,
            }
        )
    return made


def refused() -> list[dict[str, Any]]:
    """Give what ``apply`` must not take."""
    return [{"name": name, "body": body, "delta": delta} for name, body, delta in REFUSED]


FILES = {"deltas.json": deltas, "views.json": views, "refused.json": refused}


def text_of(entries: list[dict[str, Any]]) -> str:
    """Give the file's text: ASCII, so that no editor or version control changes it."""
    return json.dumps(entries, indent=1) + "\n"


if __name__ == "__main__":
    for file, make in FILES.items():
        (FOLDER / file).write_text(text_of(make()))
