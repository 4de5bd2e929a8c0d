"""
The audit report: what is read of it, and what makes it valid.

Only the fields that decide something are named here. Everything else passes through untouched, because what is
published is the producer's own JSON text (without its insignificant white space), never a re-encoding of it.

Source: docs/protocol.md, Report.
"""

import codecs
import dataclasses
import hashlib
import json
import re
from typing import Any, NoReturn

import msgspec

from reportcast.contracts.errors import ReportEncodingError, ReportShapeError, ReportSyntaxError

COUNTS = ("total", "missing", "extra", "dirty", "clean", "mismatched")

# What is safe as a file name and in a URL path. ISO 8601 times fit; 64 is that of a generous one.
_STEM = re.compile(r"[0-9A-Za-z][0-9A-Za-z:.+_-]{0,63}")
# The broker may add "+<offset>" to a stem that is taken.
_NAME = re.compile(rf"{_STEM.pattern}(?:\+[0-9]{{1,20}})?\.json")


class _Repo(msgspec.Struct):
    name: str
    status: Any = None
    uncommitted_changes: Any = msgspec.field(name="uncommittedChanges", default=msgspec.UNSET)


class _Audit(msgspec.Struct):
    timestamp: str
    repos: list[_Repo]
    summary: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


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
    text = _decode_text(raw)
    body = text.encode()
    try:
        audit = _decoder.decode(body)
        body = msgspec.json.format(body, indent=-1)
    except (msgspec.DecodeError, RecursionError):
        # Slower, but tells line and column, looks at the syntax of the whole before the shape of a part, and knows the
        # one thing that browsers read and msgspec does not: an escaped lone surrogate, which is how Python producers
        # write a file name that is not UTF-8.
        audit = _decode_slowly(text)
    _check(audit)
    return Report(body, hashlib.sha256(body).hexdigest(), audit.timestamp, len(audit.repos))


def _decode_text(raw: bytes) -> str:
    utf16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if utf16 else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as exc:
        sentence = f"report is not {encoding.removesuffix('-sig')} at byte {exc.start}: {exc.reason}"
        raise ReportEncodingError(sentence) from exc


def _decode_slowly(text: str) -> _Audit:
    if not text.strip():
        raise ReportSyntaxError("report is empty; one JSON object is expected")
    try:
        return msgspec.convert(json.loads(text, parse_constant=_refuse_constant, parse_int=_parse_int), _Audit)
    except json.JSONDecodeError as exc:
        byte = len(text[: exc.pos].encode())
        sentence = f"report is not JSON at line {exc.lineno} column {exc.colno} (byte {byte}): {exc.msg}"
        raise ReportSyntaxError(sentence) from exc
    except RecursionError as exc:
        raise ReportShapeError("report is nested too deeply to be read; a few hundred levels are allowed") from exc
    except msgspec.ValidationError as exc:
        raise ReportShapeError(_shape_sentence(exc)) from exc


def _parse_int(digits: str) -> int | float:
    # Python refuses to convert more than 4300 digits; a browser reads every long number as a float.
    return int(digits) if len(digits) <= 4300 else float(digits)


def _refuse_constant(constant: str) -> NoReturn:
    raise ReportSyntaxError(f"report holds {constant}, which is not JSON; a number, a string or null is allowed")


def _shape_sentence(exc: msgspec.ValidationError) -> str:
    what, _, where = str(exc).partition(" - at ")
    what = what[0].lower() + what[1:]
    return f"{where.strip('`').replace('$', 'report', 1) or 'report'}: {what.replace('`', '')}"


def _check(audit: _Audit) -> None:
    for index, repo in enumerate(audit.repos):
        if not isinstance(repo.status, str) and repo.uncommitted_changes is msgspec.UNSET:
            raise ReportShapeError(f"report.repos[{index}]: expected a string status or uncommittedChanges")
    if audit.summary is msgspec.UNSET:
        return
    for count in COUNTS:
        value = audit.summary.get(count, 0)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ReportShapeError(f"report.summary.{count}: expected a number, got {type(value).__name__}")
