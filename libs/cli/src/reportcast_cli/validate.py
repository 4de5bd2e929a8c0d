"""
``reportcast validate``: what a watcher would make of a file.

The very functions decide that decide in the watcher: its reader, the parser, and the gate.
"""

import dataclasses
from collections.abc import Collection, Sequence
from pathlib import Path

from reportcast.contracts.clock import utc_now, utc_ns
from reportcast.contracts.errors import (
    ReportEncodingError,
    ReportError,
    ReportHeld,
    ReportMissing,
    ReportShapeError,
    ReportSyntaxError,
    ReportTooLarge,
    ReportUnreadable,
)
from reportcast.contracts.findings import FindingKind
from reportcast.contracts.messages import Finding
from reportcast.contracts.report import Report, ReportKind, kind_of, parse_report
from watcher.gate import Dated, judge
from watcher.reader import Reader, Reading

from reportcast_cli.exits import Exit, Trouble
from reportcast_cli.printable import printable
from reportcast_cli.streams import read_input
from reportcast_cli.verdict import Verdict, show, told

STDIN = "-"


@dataclasses.dataclass(frozen=True, slots=True)
class Gate:
    """
    What a report has to pass.

    Attributes:
        kind: What it has to be.
        max_bytes: Of which no more are read.
        hold: Kinds of findings with which it is not published.
        last: The last good report; ``None`` if there was none.
    """

    kind: ReportKind
    max_bytes: int
    hold: Collection[str]
    last: Dated | None = None


def run(files: Sequence[str], channel: str, hold: str, after: Path | None, max_bytes: int, as_json: bool) -> Exit:
    """Judge each file, print what comes of it, and say the worst of all."""
    gate = _gate(channel, hold, after, max_bytes)
    worst = Exit.FINE
    for file in files:
        verdict = judge_file(file, gate)
        (told if as_json else show)(verdict)
        worst = max(worst, verdict.exit)
    return worst


def _gate(channel: str, hold: str, after: Path | None, max_bytes: int) -> Gate:
    held = list(FindingKind) if hold == "all" else [word.strip() for word in hold.split(",") if word.strip()]
    unknown = [word for word in held if word not in list(FindingKind)]
    if unknown:
        known = ", ".join(FindingKind)
        raise Trouble(f"--hold: {printable(unknown[0])!r} is no finding; expected all, or some of {known}")
    gate = Gate(kind_of(channel), max_bytes, held)
    return gate if after is None else dataclasses.replace(gate, last=_last(after, gate))


def _last(after: Path, gate: Gate) -> Dated:
    reading = Reader(after, gate.kind, gate.max_bytes).read()
    if not isinstance(reading.content, Report):
        raise Trouble(f"{after} is no good report to come after: {reading.content}")
    return Dated(reading.content, reading.modified_ns)


def judge_file(file: str, gate: Gate) -> Verdict:
    """Judge one file, or with ``-`` what comes on standard input."""
    reading = _standard_input(gate) if file == STDIN else Reader(Path(file), gate.kind, gate.max_bytes).read()
    name = "standard input" if file == STDIN else file
    try:
        report, findings, held = _pass(reading, gate)
    except ReportError as error:
        is_there = not isinstance(error, ReportMissing | ReportUnreadable)
        return Verdict(name, reading.raw, error=error, is_there=is_there, hint=_hint(error, reading.raw))
    return Verdict(name, reading.raw, report, findings, error=held)


def _standard_input(gate: Gate) -> Reading:
    raw = read_input(gate.max_bytes)
    content: Report | ReportError
    try:
        if len(raw) > gate.max_bytes:
            raise ReportTooLarge(len(raw), gate.max_bytes)
        content = parse_report(raw, gate.kind)
    except ReportError as error:
        content = error
    return Reading(content, STDIN, raw, modified_ns=utc_ns(utc_now()))


def _pass(reading: Reading, gate: Gate) -> tuple[Report, tuple[Finding, ...], ReportHeld | None]:
    """Give the report, all that is odd about it, and whether it would be held for that."""
    if isinstance(reading.content, ReportError):
        raise reading.content
    report, now = Dated(reading.content, reading.modified_ns), utc_now()
    findings = judge(report, gate.last, now, hold=())
    try:
        judge(report, gate.last, now, gate.hold)
    except ReportHeld as held:
        return report.report, findings, held
    return report.report, findings, None


def _hint(error: ReportError, raw: bytes) -> str | None:
    if isinstance(error, ReportSyntaxError | ReportEncodingError):
        return "it may be an unfinished write; a watcher would wait for the rest before it refuses it"
    if isinstance(error, ReportShapeError):
        try:
            parse_report(raw, ReportKind.GENERIC)
        except ReportError:
            return None
        return "as a generic report, of a channel not named audit or audit-…, it would be published"
    return None
