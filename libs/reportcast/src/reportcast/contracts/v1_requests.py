"""
What a client asks with the subprotocol ``reportcast.v1``: in the address, and by messages.

Source: docs/protocol.md, Version 1.
"""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from reportcast.contracts.position import Position
from reportcast.contracts.v1_frames import ErrorCode
from reportcast.contracts.view import Filter

# What a client may name in one filter.
MAX_WORDS = 32
MAX_WORD_CHARACTERS = 200
# Each is looked for in the name of every repository.
MAX_STARS = 4

_EPOCH = re.compile(r"[0-9a-f]{16}")
_STARS = re.compile(r"\*+")
_OFFSET = re.compile(r"[0-9]{1,15}")
_POSITION = "a position is an epoch of 16 hexadecimal digits and an offset, as a snapshot or delta gives them"


class V1Error(Exception):
    """A request that cannot be done."""

    def __init__(self, code: ErrorCode, sentence: str) -> None:
        super().__init__(code, sentence)
        self.code = code
        self.sentence = sentence


@dataclasses.dataclass(frozen=True, slots=True)
class Follow:
    """
    A wish to follow a channel.

    Attributes:
        channel: ``None``: the first that is served.
        position: Where the client stands; ``None``: nowhere.
        which: Of what; ``None``: of the whole report.
        error: What was wrong with the rest of the wish, and is left out.
    """

    channel: str | None
    position: Position | None = None
    which: Filter | None = None
    error: V1Error | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Unfollow:
    """A wish to follow a channel no more."""

    channel: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class Again:
    """A wish for the whole report of a channel that is followed."""

    channel: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class Ping:
    """A wish for a sign of life."""


V1Request = Follow | Unfollow | Again | Ping


def follows_of(query: Sequence[tuple[str, str]]) -> list[Follow]:
    """Read the address: each ``channel`` with its ``epoch`` and ``offset``, and ``status`` and ``name`` for all."""
    wishes: list[dict[str, Any]] = [{}]
    for name, value in query:
        if name == "channel" and "channel" in wishes[-1]:
            wishes.append({})
        if name in ("channel", "epoch", "offset"):
            wishes[-1][name] = value
    filters = _words(query)
    return [_follow(wish.get("channel"), wish | filters) for wish in wishes]


def follow_of_events(query: Sequence[tuple[str, str]], last_event_id: str | None) -> Follow:
    """
    Read the address of an event stream: ``channel``, ``since``, ``status`` and ``name``.

    Args:
        query: Its parameters.
        last_event_id: The header, which tells more lately than ``since`` where the client stands.
    """
    fields = dict(query)
    epoch, _, offset = (last_event_id or fields.get("since", "")).partition(":")
    position = {"epoch": epoch, "offset": offset} if epoch or offset else {}
    return _follow(fields.get("channel"), position | _words(query))


def parse_v1(text: str | bytes) -> V1Request:
    """
    Read one message.

    Raises:
        V1Error: If it is none of those that are known.
    """
    try:
        message = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as exc:
        raise V1Error(ErrorCode.BAD_MESSAGE, f"a message is a JSON object with a type; this one is not: {exc}") from exc
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise V1Error(ErrorCode.BAD_MESSAGE, "a message is a JSON object with a type")
    channel = message.get("channel")
    if not isinstance(channel, str | None):
        raise V1Error(ErrorCode.BAD_MESSAGE, "channel is a string")
    match message["type"]:
        case "follow":
            return _follow(channel, message)
        case "unfollow":
            return Unfollow(channel)
        case "request-update":
            return Again(channel)
        case "ping":
            return Ping()
        case kind:
            sentence = f"there is no message type {kind[:64]!r}; there are follow, unfollow, request-update and ping"
            raise V1Error(ErrorCode.UNKNOWN_TYPE, sentence)


def _follow(channel: str | None, fields: Mapping[str, Any]) -> Follow:
    position, which, error = None, None, None
    try:
        which = _filter(fields.get("statuses"), fields.get("names"))
        position = _position(fields.get("epoch"), fields.get("offset"))
    except V1Error as exc:
        error = exc
    return Follow(channel, position, which, error)


def position_of(text: str) -> Position | None:
    """
    Read a position as event streams and polls write it, ``<epoch>:<offset>``; ``None`` of nothing.

    Raises:
        V1Error: If it is none.
    """
    if not text:
        return None
    epoch, _, offset = text.partition(":")
    return _position(epoch, offset)


def filter_of(query: Sequence[tuple[str, str]]) -> Filter | None:
    """
    Read ``status`` and ``name`` of an address; ``None`` without them.

    Raises:
        V1Error: If what they ask for cannot be.
    """
    return _filter(**_words(query))


def _words(query: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    words: dict[str, list[str]] = {"status": [], "name": []}
    for name, value in query:
        if name in words:
            words[name] += (word for word in value.split(",") if word)
    return {"statuses": words["status"], "names": words["name"]}


def _position(epoch: Any, offset: Any) -> Position | None:
    if epoch is None and offset is None:
        return None
    digits = str(offset) if isinstance(offset, str | int) and not isinstance(offset, bool) else ""
    if not isinstance(epoch, str) or not _EPOCH.fullmatch(epoch) or not _OFFSET.fullmatch(digits):
        raise V1Error(ErrorCode.BAD_POSITION, _POSITION)
    return Position(epoch, int(digits))


def _filter(statuses: Any, names: Any) -> Filter | None:
    for words in (statuses, names):
        if words is None:
            continue
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise V1Error(ErrorCode.BAD_FILTER, "statuses and names are lists of strings")
        if len(words) > MAX_WORDS or any(not 0 < len(word) <= MAX_WORD_CHARACTERS for word in words):
            allowed = f"1 to {MAX_WORDS} of 1 to {MAX_WORD_CHARACTERS} characters each are allowed"
            raise V1Error(ErrorCode.BAD_FILTER, f"statuses and names: {allowed}")
    patterns = [_STARS.sub("*", name) for name in names or ()]
    if any(pattern.count("*") > MAX_STARS for pattern in patterns):
        raise V1Error(ErrorCode.BAD_FILTER, f"a name may have at most {MAX_STARS} stars")
    return Filter(frozenset(statuses or ()), frozenset(patterns)) if statuses or names else None
