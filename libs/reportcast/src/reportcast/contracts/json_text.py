"""
JSON as text: from a file's bytes to strict JSON in UTF-8, and where in it something stands.

What a report holds is never built here: a report of 16 MiB could otherwise become half a GiB of objects.

Source: docs/protocol.md, Report.
"""

import codecs
import dataclasses
import re

import msgspec

from reportcast.contracts.errors import Place, ReportEncodingError, ReportSyntaxError
from reportcast.contracts.places import Path, byte_at, place_of

# How Python producers write a file name that is not UTF-8. Browsers read it; msgspec does not.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


@dataclasses.dataclass(frozen=True, slots=True)
class JsonText:
    """
    Strict JSON.

    Attributes:
        written: UTF-8, as the producer wrote it; places count in this.
        body: The same without insignificant white space, which is what is published.
        readable: What msgspec can decode: ``body``, or where that has escaped lone surrogates, which it refuses and
            browsers read, ``written`` with another character for each of them.
        mark_bytes: Length of the UTF-8 byte order mark that stood before ``written``.
    """

    written: bytes
    body: bytes
    readable: bytes
    mark_bytes: int = 0

    @property
    def is_compact(self) -> bool:
        """Whether ``body`` is without insignificant white space, and msgspec can decode it."""
        return self.body is self.readable

    def place_of(self, byte: int) -> Place:
        """Give the place in the file of a byte of ``written``."""
        return place_of(self.written, byte, self.mark_bytes)

    def place_at(self, path: Path) -> Place:
        """Give the place in the file of what ``path`` leads to; see ``byte_at``."""
        return self.place_of(byte_at(self.written if self.is_compact else self.readable, path))


def read_json(raw: bytes) -> JsonText:
    """
    Take a file's bytes as strict JSON.

    Args:
        raw: UTF-8 (a byte order mark is allowed), or UTF-16 with a byte order mark, as PowerShell writes it.

    Raises:
        ReportEncodingError: If the bytes are not such text.
        ReportSyntaxError: If the text is not strict JSON as a browser reads it.
        RecursionError: If it is nested too deeply.
    """
    written = _to_utf8(raw)
    mark_bytes = len(codecs.BOM_UTF8) if raw.startswith(codecs.BOM_UTF8) else 0
    if _SURROGATE.search(written):
        readable = readable_of(written)
        _check(readable, mark_bytes)
        return JsonText(written, written, readable, mark_bytes)
    _check(written, mark_bytes)
    body = msgspec.json.format(written, indent=-1)
    return JsonText(written, body, body, mark_bytes)


def readable_of(written: bytes) -> bytes:
    # In place: sub() makes a list of all that stands between them, which takes 400 MB for 15 MiB.
    text = bytearray(written)
    for found in _SURROGATE.finditer(written):
        text[found.start() : found.end()] = rb"\ufffd"
    return bytes(text)


def _to_utf8(raw: bytes) -> bytes:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return raw.decode("utf-16").encode()
        except UnicodeDecodeError as exc:
            raise ReportEncodingError(f"report is not utf-16 at byte {exc.start}: {exc.reason}") from exc
    text = raw.removeprefix(codecs.BOM_UTF8)
    try:
        text.isascii() or text.decode()
    except UnicodeDecodeError as exc:
        place = place_of(text, exc.start, len(raw) - len(text))
        raise ReportEncodingError(f"report is not utf-8 at byte {place.byte}: {exc.reason}", place) from exc
    return text


def _check(text: bytes, mark_bytes: int) -> None:
    if not text.strip():
        raise ReportSyntaxError("report is empty; JSON is expected", Place(1, 1, 0))
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except msgspec.DecodeError as exc:
        raise _syntax_error(exc, text, mark_bytes) from exc


def _syntax_error(exc: msgspec.DecodeError, text: bytes, mark_bytes: int) -> ReportSyntaxError:
    found = re.fullmatch(r"JSON is malformed: (.+) \(byte (\d+)\)", str(exc))
    if found:
        # msgspec counts a trailing character as read already.
        byte = int(found[2]) - (found[1] == "trailing characters")
        what = f"{found[1]} near {text[byte : byte + 12].decode(errors='replace')!r}"
    else:
        byte, what = len(text), "it ends too early"  # "Input data was truncated", without a place
    place = place_of(text, byte, mark_bytes)
    return ReportSyntaxError(f"report is not JSON at {place}: {what}", place)
