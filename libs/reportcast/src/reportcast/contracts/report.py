"""
The audit report: what is read of it, and what makes it valid.

Only the fields that decide something are named here. Everything else passes through untouched, because what is
published is the producer's own JSON text (without its insignificant white space), never a re-encoding of it.

Source: docs/protocol.md, Report.
"""

import codecs
import dataclasses
import hashlib
import re

import msgspec

from reportcast.contracts.errors import ReportEncodingError, ReportShapeError, ReportSyntaxError

# What is safe as a file name and in a URL path. ISO 8601 times fit; 64 is that of a generous one.
_STEM = re.compile(r"[0-9A-Za-z][0-9A-Za-z:.+_-]{0,63}")
# The broker may add "+<offset>" to a stem that is taken.
_NAME = re.compile(rf"{_STEM.pattern}(?:\+[0-9]{{1,20}})?\.json")


# Any JSON of any depth: kept as its text, never built. A report of 16 MiB could otherwise become half a GiB of objects.
_Unread = msgspec.Raw | msgspec.UnsetType


class _Repo(msgspec.Struct):
    name: str
    status: _Unread = msgspec.UNSET
    uncommitted_changes: _Unread = msgspec.field(name="uncommittedChanges", default=msgspec.UNSET)


_Count = int | float | msgspec.UnsetType


class _Summary(msgspec.Struct):
    total: _Count = msgspec.UNSET
    missing: _Count = msgspec.UNSET
    extra: _Count = msgspec.UNSET
    dirty: _Count = msgspec.UNSET
    clean: _Count = msgspec.UNSET
    mismatched: _Count = msgspec.UNSET


class _Audit(msgspec.Struct):
    timestamp: str
    repos: list[_Repo]
    summary: _Summary | msgspec.UnsetType = msgspec.UNSET


# How Python producers write a file name that is not UTF-8. Browsers read it; msgspec does not.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")

_decoder = msgspec.json.Decoder(_Audit)


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """
    The parsed, validated content of one watched file.

    Attributes:
        body: One strict JSON object in UTF-8 without insignificant white space.
        digest: SHA-256 of ``body``, hexadecimal.
        timestamp: The report's own ``timestamp``, as written.
        repos: How many repositories it lists.
    """

    body: bytes
    digest: str
    timestamp: str
    repos: int

    @property
    def stem(self) -> str | None:
        """Name in the history without ``.json``: the report's own timestamp; ``None`` if unfit for a name."""
        return self.timestamp if _STEM.fullmatch(self.timestamp) else None


def is_history_name(name: str) -> bool:
    """Tell whether ``name`` can be the name of a report in the history."""
    return _NAME.fullmatch(name) is not None


def parse_report(raw: bytes) -> Report:
    """
    Read a report file's bytes.

    Args:
        raw: UTF-8 (a byte order mark is allowed), or UTF-16 with a byte order mark, as PowerShell writes it.

    Returns:
        The report.

    Raises:
        ReportEncodingError: If the bytes are not such text.
        ReportSyntaxError: If the text is not strict JSON as a browser reads it.
        ReportShapeError: If the JSON is no audit report.

    Source: docs/protocol.md, Report.
    """
    body = _to_utf8(raw)
    if _SURROGATE.search(body):
        # Judged on a copy of the same length; kept as written, white space and all.
        audit = _decode(_SURROGATE.sub(rb"\\ufffd", body))
    else:
        audit = _decode(body)
        body = msgspec.json.format(body, indent=-1)
    _check(audit)
    return Report(body, hashlib.sha256(body).hexdigest(), audit.timestamp, len(audit.repos))


def _to_utf8(raw: bytes) -> bytes:
    utf16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if utf16 else "utf-8"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as exc:
        sentence = f"report is not {encoding} at byte {exc.start}: {exc.reason}"
        raise ReportEncodingError(sentence) from exc
    return text.encode() if utf16 else raw.removeprefix(codecs.BOM_UTF8)


def _decode(body: bytes) -> _Audit:
    if not body.strip():
        raise ReportSyntaxError("report is empty; one JSON object is expected")
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as exc:
        _check_syntax(body)
        raise ReportShapeError(_shape_sentence(exc)) from exc
    except msgspec.DecodeError as exc:
        raise ReportSyntaxError(_syntax_sentence(exc, body)) from exc
    except RecursionError as exc:
        raise _too_deep() from exc


def _check_syntax(body: bytes) -> None:
    """Look at the syntax of the whole before the shape of a part is blamed: it may be an unfinished write."""
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except msgspec.DecodeError as exc:
        raise ReportSyntaxError(_syntax_sentence(exc, body)) from exc
    except RecursionError as exc:
        raise _too_deep() from exc


def _too_deep() -> ReportShapeError:
    return ReportShapeError("report is nested too deeply to be read; a few hundred levels are allowed")


def _syntax_sentence(exc: msgspec.DecodeError, body: bytes) -> str:
    found = re.fullmatch(r"JSON is malformed: (.+) \(byte (\d+)\)", str(exc))
    if found:
        # msgspec counts a trailing character as read already.
        byte = int(found[2]) - (found[1] == "trailing characters")
        what = f"{found[1]} near {body[byte : byte + 12].decode(errors='replace')!r}"
    else:
        byte, what = len(body), "it ends too early"  # "Input data was truncated", without a place
    before = body[:byte]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
    return f"report is not JSON at line {line} column {column} (byte {byte}): {what}"


def _shape_sentence(exc: msgspec.ValidationError) -> str:
    what, _, where = str(exc).partition(" - at ")
    what = (what[0].lower() + what[1:]).replace("int | float", "a number")
    return f"{where.strip('`').replace('$', 'report', 1) or 'report'}: {what.replace('`', '')}"


def _check(audit: _Audit) -> None:
    for index, repo in enumerate(audit.repos):
        has_status = repo.status is not msgspec.UNSET and bytes(repo.status).lstrip().startswith(b'"')
        if not has_status and repo.uncommitted_changes is msgspec.UNSET:
            raise ReportShapeError(f"report.repos[{index}]: expected a string status or uncommittedChanges")
