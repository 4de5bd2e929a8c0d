"""
Frames of ``reportcast.v1`` as a client reads them. Pure.

Source: docs/protocol.md, Version 1.
"""

import datetime
import re
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from reportcast.contracts.json_text import readable_of
from reportcast.contracts.messages import Finding
from reportcast.contracts.position import Position

from reportcast_client.errors import Blocked

_AwareTime = Annotated[datetime.datetime, msgspec.Meta(tz=True)]


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """What comes first; see docs/protocol.md for this and all others."""

    heartbeat_s: float
    channels: Sequence[str] = ()
    server: str = ""
    paint_sample: float = 0.0


class Following(msgspec.Struct, frozen=True, tag="following"):
    """The answer to a wish to follow."""

    channel: str
    epoch: str | None
    offset: int | None
    recovered: bool
    reason: str | None = None

    @property
    def position(self) -> Position | None:
        """Where the channel stands; ``None`` before the first report."""
        return None if self.epoch is None or self.offset is None else Position(self.epoch, self.offset)


class _Stamped(msgspec.Struct, frozen=True):
    channel: str
    epoch: str
    offset: int
    name: str
    digest: str
    published_at: _AwareTime
    modified_at: _AwareTime

    @property
    def position(self) -> Position:
        """Where the report stands."""
        return Position(self.epoch, self.offset)


class Snapshot(_Stamped, frozen=True, tag="snapshot"):
    """A whole report; ``data`` is its text."""

    data: msgspec.Raw
    findings: tuple[Finding, ...] = ()
    hops_ms: dict[str, float] = {}


class Delta(_Stamped, frozen=True, tag="delta"):
    """One change; ``changes`` is its text."""

    base: str
    changes: msgspec.Raw
    findings: tuple[Finding, ...] = ()
    hops_ms: dict[str, float] = {}


class Broker(msgspec.Struct, frozen=True):
    """Whether the gateway hears its broker."""

    connected: bool


class Source(msgspec.Struct, frozen=True):
    """How the report's file fares."""

    state: str
    reason: str | None = None
    since: str | None = None
    due_at: str | None = None


class Status(msgspec.Struct, frozen=True, tag="status"):
    """
    How the channel fares.

    Attributes:
        channel: Which.
        stale: Whether what is served may be old, because the broker is away.
        broker: See ``Broker``.
        source: See ``Source``; ``None`` if no watcher has told.
        reasons: Why it is not healthy, each a sentence; none if it is.
        timestamp: When it changed.
        tag: Its name; the same on every gateway that tells the same.
    """

    channel: str
    stale: bool
    broker: Broker
    source: Source | None
    reasons: tuple[str, ...]
    timestamp: str = ""
    tag: str = ""


class Skipped(msgspec.Struct, frozen=True, tag="skipped", rename={"first": "from", "last": "to"}):
    """What comes before a snapshot that stands for changes that the client was too slow for."""

    channel: str
    first: int | None
    last: int
    merged: int


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat"):
    """A sign of life."""


class Drain(msgspec.Struct, frozen=True, tag="drain"):
    """The connection is about to end."""

    retry_after_ms: float


class Refusal(msgspec.Struct, frozen=True, tag="error"):
    """What was wrong with a wish."""

    code: str
    message: str


class Pong(msgspec.Struct, frozen=True, tag="pong"):
    """The answer to ``ping``."""


Frame = Hello | Following | Snapshot | Delta | Status | Skipped | Heartbeat | Drain | Refusal | Pong

_decoder: msgspec.json.Decoder[Frame] = msgspec.json.Decoder(Frame)
_raws: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
# What stands before the text of a report or change. No other member has that name, and within a text it is escaped.
_BODIES = (b',"data":', b',"changes":')
# Without these there is nothing to follow. A delta that is missed is a gap, which is noticed;
# others are not missed.
_NEEDED = re.compile(rb'\s*\{\s*"type"\s*:\s*"(hello|snapshot)"')
# What is not UTF-8 is a UnicodeDecodeError.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def frame_of(text: bytes) -> Frame | None:
    """
    Read a frame.

    Returns:
        ``None`` of one that is not known, or not as it has to be: readers pass such by.

    Raises:
        Blocked: If it is one without which there is nothing to follow, or nested too deeply to be told.
    """
    try:
        return _decoder.decode(text)
    except msgspec.ValidationError as exc:
        _check_passed_by(text, exc)
        return None
    except _UNREADABLE:
        return _odd_frame(text)


def frames_of(text: bytes) -> list[bytes]:
    """
    Take the frames of a poll's answer apart.

    Raises:
        ValueError: If it is no array.
    """
    try:
        return [bytes(raw) for raw in _raws.decode(text)]
    except _UNREADABLE:
        readable = readable_of(text)
    try:
        raws = _raws.decode(readable)
    except _UNREADABLE as exc:
        raise ValueError(f"this is no array of frames: {exc}") from exc
    found, at = [], 0
    for raw in raws:
        at = readable.index(raw, at)
        found.append(text[at : at + len(raw)])
        at += len(raw)
    return found


def _check_passed_by(text: bytes, why: Exception) -> None:
    if isinstance(why, RecursionError):
        raise Blocked("a frame came that cannot be read: it is nested too deeply") from why
    if found := _NEEDED.match(text):
        raise Blocked(f"a {found[1].decode()} came that cannot be read: {why}") from why


def _odd_frame(text: bytes) -> Frame | None:
    """Read a frame whose report has escaped lone surrogates, which msgspec refuses, and so has kept its white space."""
    readable: Any = readable_of(text)
    try:
        frame = _decoder.decode(readable)
    except _UNREADABLE as exc:
        _check_passed_by(text, exc)
        return None
    for name in _BODIES:
        head, found, _ = text.partition(name)
        if found and isinstance(frame, Snapshot | Delta):
            body = msgspec.Raw(text[len(head) + len(found) : text.rindex(b"}")])
            changed = {"data": body} if isinstance(frame, Snapshot) else {"changes": body}
            return msgspec.structs.replace(frame, **changed)
    return frame
