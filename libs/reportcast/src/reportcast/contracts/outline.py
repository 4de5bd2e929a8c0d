"""
What is told of a past report without sending it: when it is of, how it stands, and its counts.

Source: docs/protocol.md, Outlines.
"""

import collections
from collections.abc import Mapping

import msgspec

from reportcast.contracts.audit import NOTHING, Repo
from reportcast.contracts.json_text import readable_of

COUNTS = ("total", "missing", "extra", "dirty", "clean", "mismatched")
# Longer words and numbers are allowed in a report, but make no outline of it.
_MAX_CHARACTERS = 64


class Outline(msgspec.Struct, frozen=True):
    """
    A report's outline; ``None`` what it does not tell.

    Attributes:
        timestamp: Its own, as written.
        health: Its ``health_status``.
        summary: Those of ``COUNTS`` that its summary has, as they are written there; without a summary, how many
            repositories it has, in all and of each state.
    """

    timestamp: str | None = None
    health: str | None = None
    summary: Mapping[str, msgspec.Raw] | None = None


class _Top(msgspec.Struct):
    timestamp: msgspec.Raw = NOTHING
    health_status: msgspec.Raw = NOTHING
    summary: msgspec.Raw = NOTHING
    repos: msgspec.Raw = NOTHING


_top = msgspec.json.Decoder(_Top)
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_repos = msgspec.json.Decoder(list[Repo])
_text = msgspec.json.Decoder(str)
_UNREADABLE = (msgspec.MsgspecError, RecursionError)


def outline(body: bytes) -> Outline:
    """Give a report's outline; of one that is no audit report, little or nothing is told."""
    try:
        return _outline(body)
    except _UNREADABLE:  # escaped lone surrogates, or no object
        pass
    try:
        return _outline(readable_of(body))
    except _UNREADABLE:
        return Outline()


def _outline(body: bytes) -> Outline:
    top = _top.decode(body)
    return Outline(_short(top.timestamp), _short(top.health_status), _counts(top))


def _short(part: msgspec.Raw) -> str | None:
    if not _begins(part, b'"'):
        return None
    text = _text.decode(part)
    return text if len(text) <= _MAX_CHARACTERS else None


def _counts(top: _Top) -> dict[str, msgspec.Raw] | None:
    if not _begins(top.repos, b"["):
        return None
    if not _begins(top.summary, b"{"):
        return _counted(top.repos)
    fields = _fields.decode(top.summary)
    return {name: fields[name] for name in COUNTS if name in fields and _is_count(fields[name])}


def _counted(repos: msgspec.Raw) -> dict[str, msgspec.Raw]:
    listed = _repos.decode(repos)
    states = collections.Counter(repo.state_name for repo in listed)
    counts = {"total": len(listed), "dirty": 0, "clean": 0} | {name: states[name] for name in COUNTS if states[name]}
    return {name: msgspec.Raw(str(counts[name]).encode()) for name in COUNTS if name in counts}


def _is_count(part: msgspec.Raw) -> bool:
    return _begins(part, b"-0123456789") and len(part) <= _MAX_CHARACTERS


def _begins(part: msgspec.Raw, characters: bytes) -> bool:
    first = bytes(part).lstrip()[:1]
    return first != b"" and first in characters
