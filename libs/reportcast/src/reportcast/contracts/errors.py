"""
Why bytes are not a report.

    ReportError
    ├── ReportMissing       there is no file; may be a write in progress
    ├── ReportUnreadable    no regular file, or one that may not be read
    ├── ReportUnsettled     the file changed while it was read; may be a write in progress
    ├── ReportTooLarge      more bytes than the limit; may still be growing
    ├── ReportEncodingError not the text encoding it claims; may be a write in progress
    ├── ReportSyntaxError   not strict JSON; may be a write in progress
    ├── ReportShapeError    strict JSON of the wrong shape
    └── ReportHeld          a report with a finding that is not to be published

``reason`` is the label of the rejection counter. ``may_be_torn`` tells an unfinished write, which waiting can
mend, from a finished one, which it cannot.

``DeltaError`` stands by itself: it is about a report that was published already.
"""

import dataclasses
import os
from typing import ClassVar


def _name(path: str) -> str:
    """Give a path's last part as text that can be encoded, whatever bytes it is made of."""
    return os.fsencode(path).rpartition(b"/")[2].decode(errors="replace")


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """
    Where in a text something stands.

    Attributes:
        line: From 1.
        column: In characters, from 1.
        byte: In UTF-8, from 0; a byte order mark counts.
    """

    line: int
    column: int
    byte: int

    def __str__(self) -> str:
        return f"line {self.line} column {self.column} (byte {self.byte})"


class ReportError(Exception):
    """
    Bytes that must not be published; ``str()`` says what is wrong, and where, in one sentence.

    Attributes:
        place: Where in the file; ``None`` if it concerns the whole.
    """

    reason: str
    may_be_torn: ClassVar[bool] = False
    place: Place | None = None


class _TextError(ReportError):
    def __init__(self, sentence: str, place: Place | None = None) -> None:
        super().__init__(sentence, place)
        self.place = place

    def __str__(self) -> str:
        return str(self.args[0])


class ReportUnreadable(ReportError):
    """
    The file cannot be read now.

    Attributes:
        path: The watched file; only its name is told, because clients are told too.
        why: What the operating system, or the file's type, says against it.
    """

    reason = "unreadable"

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"{_name(self.path)} cannot be read: {self.why}"


class ReportTooLarge(ReportError):
    """
    The file holds more bytes than may be read.

    Attributes:
        size: What was found, in bytes (at least; reading stops at the limit).
        limit: What is allowed, in bytes.
    """

    reason = "too_large"
    may_be_torn = True

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(size, limit)
        self.size = size
        self.limit = limit

    def __str__(self) -> str:
        return f"report is {self.size} bytes; the limit is {self.limit}"


class ReportEncodingError(_TextError):
    """The bytes are not text in the encoding they claim (UTF-8, or UTF-16 with a byte order mark)."""

    reason = "encoding"
    may_be_torn = True


class ReportSyntaxError(_TextError):
    """The text is not strict JSON as a browser reads it; says line, column and byte."""

    reason = "syntax"
    may_be_torn = True


class ReportShapeError(_TextError):
    """The JSON is no report; says which field, and what was allowed there."""

    reason = "shape"


class ReportMissing(ReportError):
    """
    There is no such file now; a writer that removes and recreates it leaves this gap.

    Attributes:
        path: The watched file; only its name is told, because clients are told too.
    """

    reason = "missing"
    may_be_torn = True

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"{_name(self.path)} does not exist"


class ReportUnsettled(ReportError):
    """
    The file changed while it was read.

    Attributes:
        path: The watched file; only its name is told, because clients are told too.
    """

    reason = "unsettled"
    may_be_torn = True

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"{_name(self.path)} changed while it was read"


class ReportHeld(_TextError):
    """A report that is valid, with a finding that REPORT_HOLD names; ``reason`` is the finding's kind."""

    reason = "held"

    def __init__(self, kind: str, sentence: str, place: Place | None = None) -> None:
        super().__init__(sentence, place)
        self.reason = kind


class DeltaError(Exception):
    """A delta that does not fit the report it is to change; ``str()`` says why in one sentence."""
