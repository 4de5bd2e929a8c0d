"""
JSON taken apart by one level, each part as its text, and put together again. Pure.

A whole report is never built of objects: what does not change stays the text that it is.
"""

from collections.abc import Iterable, Mapping

import msgspec

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_elements = msgspec.json.Decoder(list[msgspec.Raw])


def members_of(text: bytes) -> dict[str, bytes] | None:
    """
    Give an object's members in their order.

    Returns:
        ``None`` if it is no object, or would not be the same when put together again: a key stands twice, or is written
        with escapes that it does not need, or there is white space.
    """
    if not text.startswith(b"{"):
        return None
    try:
        members = {key: bytes(value) for key, value in _members.decode(text).items()}
    except (msgspec.DecodeError, UnicodeError):
        return None
    return members if object_of(members) == text else None


def elements_of(text: bytes) -> list[bytes] | None:
    """Give an array's elements; ``None`` if it is no array, or would not be the same when put together again."""
    if not text.startswith(b"["):
        return None
    try:
        elements = [bytes(value) for value in _elements.decode(text)]
    except (msgspec.DecodeError, UnicodeError):
        return None
    return elements if array_of(elements) == text else None


def object_of(members: Mapping[str, bytes]) -> bytes:
    """Put an object together."""
    return b"{%s}" % b",".join(msgspec.json.encode(key) + b":" + value for key, value in members.items())


def array_of(elements: Iterable[bytes]) -> bytes:
    """Put an array together."""
    return b"[%s]" % b",".join(elements)
