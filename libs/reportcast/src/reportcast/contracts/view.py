"""
The part of an audit report that a client asked for: some of its repositories, and everything else as it is written.

Source: docs/protocol.md, Filters.
"""

import dataclasses
from collections.abc import Iterator

import msgspec

from reportcast.contracts.audit import Repo, parse_audit, repos_text, texts_of
from reportcast.contracts.errors import ReportShapeError
from reportcast.contracts.json_text import JsonText, readable_of
from reportcast.contracts.members import join_items
from reportcast.contracts.places import MAX_PARTS, NEXT, after, byte_at, member_at, skip_space


@dataclasses.dataclass(frozen=True, slots=True)
class Filter:
    """
    Which repositories a client asked for; those that fit both.

    Attributes:
        statuses: Their states; if empty, any.
        names: Their names, in which ``*`` stands for any run of characters; if empty, any.
    """

    statuses: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    def takes(self, name: str, state: str) -> bool:
        """Tell whether it is one of those asked for."""
        return (not self.statuses or state in self.statuses) and (not self.names or self._names(name))

    def _names(self, name: str) -> bool:
        return name in self.names or any(_fits(name, pattern) for pattern in self.names if "*" in pattern)


def _fits(name: str, pattern: str) -> bool:
    """Look for the pieces one after the other: a hostile pattern takes no longer than another."""
    first, *middle, last = pattern.split("*")
    end = len(name) - len(last)
    if not (name.startswith(first) and name.endswith(last)):
        return False
    byte = len(first)
    for piece in middle:
        found = name.find(piece, byte, end)
        if found < 0:
            return False
        byte = found + len(piece)
    return byte <= end


def view(body: bytes, which: Filter) -> bytes:
    """
    Give the report with only those repositories that ``which`` asks for.

    Args:
        body: A report's body; one that is no audit report comes back as it is.
        which: What is asked for.
    """
    if not (which.statuses or which.names):
        return body
    try:
        return _view(body, body, which)
    except (msgspec.MsgspecError, ReportShapeError):  # escaped lone surrogates, or no audit report
        pass
    try:
        return _view(body, readable_of(body), which)
    except (msgspec.MsgspecError, ReportShapeError, RecursionError):
        return body


def _view(body: bytes, readable: bytes, which: Filter) -> bytes:
    repos = parse_audit(JsonText(body, body, readable)).repos
    listed = repos_text(readable)
    start = _start(readable, listed)
    end = start + len(listed)
    items = _items(body[start:end], texts_of(listed))
    taken = (text for text, repo in zip(items, repos, strict=True) if which.takes(repo.name, _state(repo)))
    return body[:start] + join_items(taken) + body[end:]


def _state(repo: Repo) -> str:
    return msgspec.json.decode(repo.state, type=str)


def _start(readable: bytes, listed: msgspec.Raw) -> int:
    """Give where the list begins, which may be most of a large report: its parts do not count here."""
    if readable.startswith(b"{") and readable.count(b",") - bytes(listed).count(b",") <= MAX_PARTS:
        found = member_at(readable, "repos")
        if found:
            return found[0]
    return byte_at(readable, ("repos",))


def _items(listed: bytes, texts: list[msgspec.Raw]) -> Iterator[bytes]:
    """Give the items as they are written, which may be otherwise than they could be read."""
    byte = skip_space(listed, 1)
    for text in texts:
        end = byte + len(text)
        yield listed[byte:end]
        byte = after(NEXT, listed, end)
