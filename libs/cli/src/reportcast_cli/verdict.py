"""What is told of a file that was judged: for people as compilers do, ``file:line:column:`` first, or as JSON."""

import codecs
import dataclasses
import os

from reportcast.contracts.errors import Place, ReportError, ReportHeld
from reportcast.contracts.messages import Finding
from reportcast.contracts.report import Report
from rich.cells import cell_len
from rich.text import Text

from reportcast_cli.amounts import counted, size
from reportcast_cli.exits import Exit
from reportcast_cli.printable import printable
from reportcast_cli.terminal import console, note, say, say_json

# Of a long line, so many characters are shown before and after the place.
AROUND = 48


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """
    What a watcher would make of a file.

    Attributes:
        file: As it was named.
        raw: Its bytes; empty if they could not be read.
        report: What it is; ``None`` if it is none.
        findings: What is odd about the report.
        error: Why nothing would be published.
        is_there: Whether there was anything to judge.
        hint: What to do about it, or what becomes of it.
    """

    file: str
    raw: bytes = b""
    report: Report | None = None
    findings: tuple[Finding, ...] = ()
    error: ReportError | None = None
    is_there: bool = True
    hint: str | None = None

    @property
    def exit(self) -> Exit:
        """What the shell is told."""
        if not self.is_there:
            return Exit.TROUBLE
        return Exit.FINE if self.error is None else Exit.OTHERWISE


def in_full(error: ReportError, file: str) -> str:
    """Say what is wrong with a file by its whole name, where the watcher tells its clients the last part alone."""
    return str(error).replace(os.path.basename(_decoded(file)), _decoded(file), 1)


def _decoded(file: str) -> str:
    """Give a name as text, also one that is none."""
    return os.fsencode(file).decode(errors="replace")


def told(verdict: Verdict) -> None:
    """Print it as one line of JSON."""
    error, report = verdict.error, verdict.report
    say_json(
        {
            "file": _decoded(verdict.file),
            "published": error is None,
            "reason": error and error.reason,
            "message": error and str(error),
            "line": error.place.line if error and error.place else None,
            "column": error.place.column if error and error.place else None,
            "findings": verdict.findings,
            "digest": report and report.digest,
            "timestamp": report and report.timestamp,
            "bytes": len(report.body) if report else None,
        }
    )


def show(verdict: Verdict) -> None:
    """Print it for a person."""
    out, name = console(), printable(verdict.file)
    if verdict.error and not verdict.is_there:
        note(in_full(verdict.error, verdict.file))
        return
    for finding in verdict.findings:
        place = Place(finding.line, finding.column or 1, 0) if finding.line else None
        say(out, _line(name, place, finding.kind, finding.message, "yellow"), *_excerpt(verdict.raw, place))
    error = verdict.error
    if error is not None and not isinstance(error, ReportHeld):  # what holds a report is among the findings
        say(out, _line(name, error.place, error.reason, str(error), "red"), *_excerpt(verdict.raw, error.place))
    say(out, _summary(name, verdict))


def _line(name: str, place: Place | None, kind: str, sentence: str, style: str) -> Text:
    where = f"{name}:{place.line}:{place.column}:" if place else f"{name}:"
    return Text.assemble((where, "bold"), " ", (kind, style), ": ", printable(sentence))


def _summary(name: str, verdict: Verdict) -> Text:
    if verdict.report is None:
        hint = f"; {verdict.hint}" if verdict.hint else ""
        return Text.assemble(name, ": ", ("would be refused", "bold red"), hint)
    report = verdict.report
    with_findings = f", with {counted(len(verdict.findings), 'finding')}" if verdict.findings else ""
    parts = [size(len(report.body)), f"sha256 {report.digest[:12]}"]
    if report.timestamp is not None:
        parts.insert(0, f"of {printable(report.timestamp, 64)}")
    if report.repos:
        parts.insert(0, counted(len(report.repos), "repository", "repositories"))
    told = ("would be published", "bold yellow" if verdict.findings else "bold green")
    if verdict.error is not None:
        told = (f"would be held for {verdict.error.reason}", "bold red")
    return Text.assemble(name, ": ", told, f"{with_findings} ({', '.join(parts)})")


def _excerpt(raw: bytes, place: Place | None) -> list[Text]:
    """Show the line, and below it where in it the place is."""
    if place is None or not raw:
        return []
    lines = _text(raw).split("\n", place.line)
    if len(lines) < place.line:
        return []
    line, at = lines[place.line - 1], place.column - 1
    start = max(0, at - AROUND) if len(line) > 2 * AROUND else 0
    before, after = printable(line[start:at]), printable(line[at : at + AROUND].rstrip("\r"))
    lead, rest = "…" if start else "", "…" if len(line) > at + AROUND else ""
    number = f"{place.line:>6} │ "
    arrow = " " * 6 + " │ " + " " * (len(lead) + cell_len(before)) + "^"
    return [Text(f"{number}{lead}{before}{after}{rest}", "dim"), Text(arrow, "cyan")]


def _text(raw: bytes) -> str:
    """Give the text that places count in, whatever of it can be read."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", errors="replace")
    return raw.removeprefix(codecs.BOM_UTF8).decode(errors="replace")
