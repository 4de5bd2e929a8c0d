"""
JSON as text: from a file's bytes to strict JSON in UTF-8, and where in it something stands.

What a report holds is never built here: a report of 16 MiB could otherwise become half a GiB of objects.

Source: docs/protocol.md, Report.
"""

import codecs
import dataclasses
import json
import re
from collections.abc import Iterator

import msgspec

from reportcast.contracts.errors import Place, ReportEncodingError, ReportShapeError, ReportSyntaxError

# How Python producers write a file name that is not UTF-8. Browsers read it; msgspec does not.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")

# Strings (and whether they are keys), brackets, commas, and the other values; only ever used on valid JSON.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}\[\],]|[^\s"{}\[\],:]+')

Path = tuple[str | int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class JsonText:
    """
    Strict JSON.

    Attributes:
        written: UTF-8, as the producer wrote it; places count in this.
        body: The same without insignificant white space, which is what is published.
        readable: What msgspec can decode: ``body``, or where that has escaped lone surrogates, which it refuses and
            browsers read, ``written`` with another character for each of them.
    """

    written: bytes
    body: bytes
    readable: bytes


def read_json(raw: bytes) -> JsonText:
    """
    Take a file's bytes as strict JSON.

    Args:
        raw: UTF-8 (a byte order mark is allowed), or UTF-16 with a byte order mark, as PowerShell writes it.

    Raises:
        ReportEncodingError: If the bytes are not such text.
        ReportSyntaxError: If the text is not strict JSON as a browser reads it.
        ReportShapeError: If it is nested too deeply.
    """
    written = _to_utf8(raw)
    if _SURROGATE.search(written):
        readable = _SURROGATE.sub(rb"\\ufffd", written)
        _check(readable)
        return JsonText(written, written, readable)
    _check(written)
    body = msgspec.json.format(written, indent=-1)
    return JsonText(written, body, body)


def place_of(text: bytes, byte: int) -> Place:
    """Give the place of a byte of ``text``."""
    before = text[:byte]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
    return Place(line, column, byte)


def place_at(text: bytes, path: Path) -> Place:
    """
    Give the place of the value that ``path`` leads to, or of the last one on the way that is there.

    Args:
        text: Valid JSON.
        path: Keys and indices, from the top.
    """
    best = 0
    reached = 0
    for step in _walk(text):
        if step.is_value and len(step.frames) > reached and step.leads_to(path[: len(step.frames)]):
            best, reached = step.byte, len(step.frames)
        if reached == len(path):
            break
    return place_of(text, best)


def find_duplicate_key(text: bytes) -> tuple[str, Place] | None:
    """Give the first key that its object has already, and its place; ``None`` if there is none. ``text`` is valid."""
    for step in _walk(text):
        if step.is_duplicate:
            return str(step.frames[-1].at), place_of(text, step.byte)
    return None


@dataclasses.dataclass(slots=True)
class _Frame:
    """An object or array that is being walked: at which key or index, and the keys it had so far."""

    at: str | int
    keys: set[str] | None


@dataclasses.dataclass(slots=True)
class _Step:
    """Where the walk is: at a key, or at the beginning of a value."""

    byte: int
    frames: list[_Frame]
    is_value: bool = True
    is_duplicate: bool = False

    def leads_to(self, path: Path) -> bool:
        return all(frame.at == at for frame, at in zip(self.frames, path, strict=True))


def _walk(text: bytes) -> Iterator[_Step]:
    frames: list[_Frame] = []
    for token in _TOKEN.finditer(text):
        first = text[token.start()]
        if token[1] is not None:  # a key
            yield _Step(token.start(), frames, is_value=False, is_duplicate=_take_key(frames[-1], text, token))
        elif first in b"}]":
            frames.pop()
        elif first == 0x2C:
            if isinstance(frames[-1].at, int):
                frames[-1].at += 1
        else:
            yield _Step(token.start(), frames)
            if first in b"{[":
                frames.append(_Frame("", set()) if first == 0x7B else _Frame(0, None))


def _take_key(frame: _Frame, text: bytes, token: re.Match[bytes]) -> bool:
    quoted = text[token.start() : token.start(1)]
    key = json.loads(quoted) if b"\\" in quoted else quoted[1:-1].decode()
    assert frame.keys is not None
    known = key in frame.keys
    frame.keys.add(key)
    frame.at = key
    return known


def _to_utf8(raw: bytes) -> bytes:
    utf16 = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if utf16 else "utf-8"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as exc:
        sentence = f"report is not {encoding} at byte {exc.start}: {exc.reason}"
        place = None if utf16 else place_of(raw, exc.start)
        raise ReportEncodingError(sentence, place) from exc
    return text.encode() if utf16 else raw.removeprefix(codecs.BOM_UTF8)


def _check(text: bytes) -> None:
    if not text.strip():
        raise ReportSyntaxError("report is empty; JSON is expected", Place(1, 1, 0))
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except msgspec.DecodeError as exc:
        raise _syntax_error(exc, text) from exc
    except RecursionError as exc:
        raise ReportShapeError("report is nested too deeply to be read; a few hundred levels are allowed") from exc


def _syntax_error(exc: msgspec.DecodeError, text: bytes) -> ReportSyntaxError:
    found = re.fullmatch(r"JSON is malformed: (.+) \(byte (\d+)\)", str(exc))
    if found:
        # msgspec counts a trailing character as read already.
        byte = int(found[2]) - (found[1] == "trailing characters")
        what = f"{found[1]} near {text[byte : byte + 12].decode(errors='replace')!r}"
    else:
        byte, what = len(text), "it ends too early"  # "Input data was truncated", without a place
    place = place_of(text, byte)
    return ReportSyntaxError(f"report is not JSON at {place}: {what}", place)
