"""
Whether a key stands twice in one object of a text of JSON.

Source: docs/protocol.md, Findings.
"""

import json
import re
from collections.abc import Iterator

import msgspec

from reportcast.contracts.places import MAX_PARTS, STRING

# Up to here a part is built and encoded again; larger ones are taken apart.
_BUILT_BYTES = 64 * 1024
# Each level of what is larger is copied and scanned once more.
_MAX_LEVELS = 4
# What has these may have more, or fewer, ``":`` than keys, as it is or encoded again.
_MISLEADING = (rb"\":", rb"\u0022", rb"\u003a", rb"\u003A")

# The next key or brace of an object, or the end; only ever used on valid JSON. All else is passed over. It matches
# wherever it is tried, so that no search begins again.
_MARK = re.compile(
    rb'(?:[^"{}]++|\{\s*+\}|' + STRING + rb"(?!\s*+:))*+(?:(" + STRING + rb")\s*+:|([{}])|\Z)",
)

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])
_rows = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


def has_distinct_keys(body: bytes) -> bool:
    """
    Tell quickly whether no key stands twice; false when that is not certain.

    Every key ends in ``":``. A reader keeps one of those that stand twice, so what it keeps has fewer of them.

    Args:
        body: Valid JSON without insignificant white space that msgspec can decode.
    """
    if any(each in body for each in _MISLEADING) or body.count(b",") > MAX_PARTS:
        return False
    try:
        return _is_distinct(body, _MAX_LEVELS)
    except (msgspec.MsgspecError, RecursionError):  # a number that msgspec does not build, or too deep to be encoded
        return False


def find_duplicate_key(text: bytes) -> tuple[str, int] | None:
    """Give the first key that its object has already, and its byte; ``None`` if there is none. ``text`` is valid."""
    known: list[set[str]] = []
    for mark in _MARK.finditer(text):
        if (quoted := mark[1]) is not None:
            key = str(json.loads(quoted)) if b"\\" in quoted else quoted[1:-1].decode()
            if key in known[-1]:
                return key, mark.start(1)
            known[-1].add(key)
        elif mark[2] == b"{":
            known.append(set())
        elif mark[2]:
            known.pop()
    return None


def _count(part: bytes | msgspec.Raw) -> int:
    return bytes(part).count(b'":')


def _is_distinct(part: bytes, levels: int) -> bool:
    if len(part) <= _BUILT_BYTES:
        return _count(part) == _count(msgspec.json.encode(msgspec.json.decode(part)))
    if part[0] not in b"{[" or not _count(part):
        return True
    if not levels:
        return False
    children = _items.decode(part) if part[0] == 0x5B else list(_members.decode(part).values())
    if part[0] == 0x7B and _count(part) != len(children) + sum(map(_count, children)):
        return False
    return all(_are_distinct(group, levels - 1) for group in _groups(children, len(part)))


def _are_distinct(group: list[msgspec.Raw], levels: int) -> bool:
    together = msgspec.json.encode(group)
    if len(together) <= _BUILT_BYTES:
        return _is_flat(together) or _is_distinct(together, levels)
    return all(_is_distinct(bytes(child), levels) for child in group)


def _is_flat(array: bytes) -> bool:
    """Tell whether the items are objects that have all the keys there are, each once: cheaper than building them."""
    try:
        return _count(array) == sum(map(len, _rows.decode(array)))
    except msgspec.ValidationError:  # no objects
        return False


def _groups(children: list[msgspec.Raw], size: int) -> Iterator[list[msgspec.Raw]]:
    """Give children of about half as many bytes as are built, in groups: one by one takes three times as long."""
    number = max(1, len(children) * _BUILT_BYTES // (2 * size))
    return (children[start : start + number] for start in range(0, len(children), number))
