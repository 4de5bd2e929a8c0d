"""
A report: the parsed, validated content of one watched file.

What is published is the producer's own JSON text (without its insignificant white space), never a re-encoding of it.

Source: docs/protocol.md, Report.
"""

import dataclasses
import enum
import hashlib
import re
from collections.abc import Mapping

import msgspec

from reportcast.contracts.audit import audit_findings, duplicate_key_findings, parse_audit, repo_texts
from reportcast.contracts.channels import is_audit
from reportcast.contracts.errors import ReportShapeError
from reportcast.contracts.json_text import JsonText, read_json
from reportcast.contracts.messages import Finding

# What is safe as a file name and in a URL path. ISO 8601 times fit; 64 is that of a generous one.
_STEM = re.compile(r"[0-9A-Za-z][0-9A-Za-z:.+_-]{0,63}")
# The broker may add "+<offset>" to a stem that is taken.
_NAME = re.compile(rf"{_STEM.pattern}(?:\+[0-9]{{1,20}})?\.json")


class ReportKind(enum.Enum):
    """What a channel's reports have to be."""

    AUDIT = "audit"
    GENERIC = "generic"


def kind_of(channel: str) -> ReportKind:
    """Tell what a channel's reports have to be."""
    return ReportKind.AUDIT if is_audit(channel) else ReportKind.GENERIC


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """
    The parsed, validated content of one watched file.

    Attributes:
        body: Strict JSON in UTF-8 without insignificant white space.
        digest: SHA-256 of ``body``, hexadecimal.
        timestamp: The report's own ``timestamp``, as written; ``None`` if a generic report has none.
        repos: A hash of each repository's text by its name; empty for a generic report.
        findings: What is odd about it, by itself.
    """

    body: bytes
    digest: str
    timestamp: str | None
    repos: Mapping[str, int]
    findings: tuple[Finding, ...] = ()

    @property
    def stem(self) -> str | None:
        """Name in the history without ``.json``: the report's own timestamp; ``None`` if unfit for a name."""
        return self.timestamp if self.timestamp and _STEM.fullmatch(self.timestamp) else None

    def changes_since(self, last: "Report") -> "Changes":
        """Tell how many repositories differ from those of ``last``."""
        both = self.repos.keys() & last.repos.keys()
        return Changes(
            added=len(self.repos) - len(both),
            removed=len(last.repos) - len(both),
            changed=sum(self.repos[name] != last.repos[name] for name in both),
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Changes:
    """How many repositories were added, removed and changed from one report to another."""

    added: int
    removed: int
    changed: int


def is_history_name(name: str) -> bool:
    """Tell whether ``name`` can be the name of a report in the history."""
    return _NAME.fullmatch(name) is not None


def parse_report(raw: bytes, kind: ReportKind = ReportKind.AUDIT) -> Report:
    """
    Read a report file's bytes.

    Args:
        raw: See ``read_json``.
        kind: What it has to be.

    Raises:
        ReportEncodingError: If the bytes are not text.
        ReportSyntaxError: If the text is not strict JSON as a browser reads it.
        ReportShapeError: If the JSON is no report of that kind.

    Source: docs/protocol.md, Report.
    """
    try:
        return _parse(read_json(raw), kind)
    except RecursionError as exc:
        raise ReportShapeError("report is nested too deeply to be read; a few hundred levels are allowed") from exc


def _parse(text: JsonText, kind: ReportKind) -> Report:
    digest = hashlib.sha256(text.body).hexdigest()
    if kind is ReportKind.GENERIC:
        return Report(text.body, digest, _timestamp(text), {}, tuple(duplicate_key_findings(text)))
    audit = parse_audit(text)
    findings = tuple(audit_findings(audit, text))
    return Report(text.body, digest, audit.timestamp, repo_texts(audit, text), findings)


class _Stamped(msgspec.Struct):
    timestamp: msgspec.Raw = msgspec.Raw(b"")


_stamped = msgspec.json.Decoder(_Stamped)


def _timestamp(text: JsonText) -> str | None:
    first = text.readable.lstrip()[:1]
    if first not in (b"{", b"["):
        place = text.place_at(())
        raise ReportShapeError(f"report: expected an object or array, at {place}", place)
    if first == b"[":
        return None
    stamp = _stamped.decode(text.readable).timestamp
    is_text = bytes(stamp).lstrip().startswith(b'"')
    return msgspec.json.decode(stamp, type=str) if is_text else None
