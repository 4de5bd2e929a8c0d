"""``reportcast diff``: what changed from one report to another, in words."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import msgspec
from reportcast.contracts.delta import diff
from reportcast.contracts.errors import ReportError, ReportShapeError
from reportcast.contracts.report import Report, ReportKind, parse_report
from rich.text import Text
from watcher.reader import Reader

from reportcast_cli.changes import Ignored, comparable, compare
from reportcast_cli.exits import Exit, Trouble
from reportcast_cli.fetch import MAX_BYTES, fetch, refusal_of
from reportcast_cli.terminal import console, printable, say, say_bytes
from reportcast_cli.verdict import in_full
from reportcast_cli.words import headline, lines

STDIN = "-"


@dataclasses.dataclass(frozen=True, slots=True)
class Side:
    """One of the two: how it was named, and its bytes."""

    name: str
    raw: bytes


def run(before: str, after: str, token: str | None, ignored: Sequence[str], as_json: bool) -> Exit:
    """Compare two reports, print what changed, and say whether anything did."""
    if before == after == STDIN:
        raise Trouble("both reports cannot come on standard input; name a file or an address for one")
    sides = [Side(where, _read(where, token)) for where in (before, after)]
    kind, note = _kind_of(sides)
    old, new = (_parse(side, kind) for side in sides)
    if as_json:
        if ignored:
            raise Trouble("--ignore cannot go with --json, whose delta makes all of the one report of the other")
        say_bytes(diff(old.body, new.body, kind) or _whole(new))
        return Exit.FINE if old.body == new.body else Exit.OTHERWISE
    places = Ignored(ignored)
    changes = compare(comparable(old.body), comparable(new.body), kind).without(places)
    if not changes:
        return Exit.FINE
    out = console()
    named = (f"{printable(side.name)}{_of(report)}" for side, report in zip(sides, (old, new), strict=True))
    say(out, Text(" → ".join(named), "dim"), Text(headline(changes), "bold"))
    if note:
        say(out, Text(note, "dim"))
    say(out, *lines(changes))
    for place in places.unused:
        say(out, Text(f"nothing that changed is at {printable(place)}, which --ignore names", "dim"))
    return Exit.OTHERWISE


def _of(report: Report) -> str:
    return "" if report.timestamp is None else f" ({printable(report.timestamp, 40)})"


def _whole(report: Report) -> bytes:
    """Give what puts the whole in place of what was there (RFC 6902)."""
    put = {"op": "replace", "path": "", "value": msgspec.Raw(report.body)}
    return msgspec.json.encode({"format": "json-patch", "patch": [put]})


def _read(where: str, token: str | None) -> bytes:
    if where == STDIN:
        return sys.stdin.buffer.read(MAX_BYTES)
    if where.startswith(("http://", "https://")):
        return _fetch(where, token)
    reading = Reader(Path(where), ReportKind.GENERIC, MAX_BYTES).read()
    if isinstance(reading.content, ReportError) and not reading.raw:
        raise Trouble(in_full(reading.content, where))
    return reading.raw


def _fetch(where: str, token: str | None) -> bytes:
    parts = urlsplit(where)
    # A gateway's own address stands for its newest report.
    url = urlunsplit(parts._replace(path="/audit")) if parts.path in ("", "/") else where
    answer = fetch(url, token)
    if answer.status != 200:
        raise Trouble(f"{printable(url)} answers {answer.status}: {refusal_of(answer)}")
    return answer.body


def _kind_of(sides: Sequence[Side]) -> tuple[ReportKind, str | None]:
    """Take them for audit reports, unless one is none; what is no report at all is told when it is read."""
    reasons = [_no_audit(side) for side in sides]
    if not any(reasons):
        return ReportKind.AUDIT, None
    told = " and ".join(filter(None, reasons))
    return ReportKind.GENERIC, None if all(reasons) else f"compared as generic reports, because {told}"


def _no_audit(side: Side) -> str | None:
    try:
        parse_report(side.raw, ReportKind.AUDIT)
    except ReportShapeError as error:
        return f"{printable(side.name)} is no audit report: {printable(str(error))}"
    except ReportError:
        return None
    return None


def _parse(side: Side, kind: ReportKind) -> Report:
    try:
        return parse_report(side.raw, kind)
    except ReportError as error:
        raise Trouble(f"{printable(side.name)} cannot be compared: {error}") from error
