"""
An object's members and an array's items, as the texts they are written in.

Only one level is taken apart; what is inside stays text.

Source: docs/protocol.md, Deltas.
"""

import dataclasses
import functools
import itertools
import re
from collections.abc import Iterable, Mapping

import msgspec

from reportcast.contracts.errors import DeltaError
from reportcast.contracts.places import KEY, MAX_PARTS, NEXT, STRING, key_of

Text = bytes | msgspec.Raw
# What lies deeper is changed as a whole: each level of a large report is copied once more.
MAX_LEVELS = 64


def _container(inner: bytes) -> bytes:
    return rb"[{\[](?:[^\"{}\[\]]++|" + STRING + inner + rb")*+[}\]]"


# What is between two commas, or a comma and the end, of a text of few levels; only ever used on valid JSON.
_NESTED = functools.reduce(lambda inner, _: b"|" + _container(inner), range(6), b"")
_PART = re.compile(rb'(?:[^",{}\[\]]++|' + STRING + _NESTED + rb")*+(?:,|[}\]]\Z)")

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])


@dataclasses.dataclass(slots=True)
class Members:
    """
    An object's members in their order.

    Attributes:
        values: The value's text by the key.
        keys: How a key is written, where that is otherwise than we write it.
    """

    values: dict[str, Text]
    keys: dict[str, bytes] = dataclasses.field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """Whether every key is written without escapes, as all readers write it again."""
        return not self.keys

    def write(self) -> bytes:
        """Give the object's text, without white space between its members."""
        return join_members(self.values, self.keys)


def join_members(values: Mapping[str, Text], keys: Mapping[str, bytes]) -> bytes:
    """Give the text of an object; ``keys`` says how a key is written where that is otherwise than we write it."""
    quoted = (keys[key] if key in keys else quote(key) for key in values)
    return b"{" + b",".join(b"%b:%b" % pair for pair in zip(quoted, values.values(), strict=True)) + b"}"


def join_items(items: Iterable[Text]) -> bytes:
    """Give the text of an array, without white space between its items."""
    return b"[" + b",".join(items) + b"]"


def quote(key: str) -> bytes:
    """Give a key's text as we write it."""
    return msgspec.json.encode(key)


def is_object(text: Text) -> bool:
    """Tell whether a text of JSON is that of an object."""
    return bytes(memoryview(text)[:1]) == b"{"


def is_array(text: Text) -> bool:
    """Tell whether a text of JSON is that of an array."""
    return bytes(memoryview(text)[:1]) == b"["


def read_items(text: Text) -> list[msgspec.Raw]:
    """
    Take an array apart.

    Raises:
        DeltaError: If it has so many parts that this takes too much memory.
    """
    _bound(bytes(text))
    return _items.decode(text)


def read_members(text: Text, inner: Text = b"") -> Members:
    """
    Take an object apart.

    Args:
        text: JSON that msgspec can decode.
        inner: A value in it, the parts of which do not count.

    Raises:
        DeltaError: If a key stands twice, or it has so many parts that this takes too much memory.
    """
    written = bytes(text)
    _bound(written, bytes(inner).count(b","))
    values = _members.decode(written)
    if _plain_length(values) == len(written):
        return Members(dict(values))
    return Members(dict(values), _written_keys(written, values))


def _bound(text: bytes, inner: int = 0) -> None:
    # Mostly there are few commas at all; they are looked at one by one only where there are many.
    if text.count(b",") - inner > MAX_PARTS and not _has_few_parts(text):
        raise DeltaError(f"the report has more than {MAX_PARTS} values in one place; so many are not taken apart")


def _has_few_parts(text: bytes) -> bool:
    """Tell whether an object or array has few members or items, however many are in these; false if not certain."""
    byte = 1
    for part in itertools.islice(_PART.finditer(text, 1), MAX_PARTS):
        if part.start() != byte:  # it is nested more deeply than the pattern
            return False
        byte = part.end()
    return byte == len(text)


def _plain_length(values: Mapping[str, msgspec.Raw]) -> int:
    """Give the length of the object if no key stands twice or is escaped, and there is no white space."""
    keys = "".join(values)
    # Of each two quotes, a colon and a comma; the braces, without the comma of the last.
    return len(keys.encode()) + sum(map(len, values.values())) + 4 * len(values) + (1 if values else 2)


def _written_keys(text: bytes, values: Mapping[str, msgspec.Raw]) -> dict[str, bytes]:
    written: dict[str, bytes] = {}
    seen = 0
    byte = 1
    while key := KEY.match(text, byte):
        name = key_of(key[1])
        value = bytes(values[name])
        end = key.end() + len(value)
        following = NEXT.match(text, end)
        if seen == len(values) or not text.startswith(value, key.end()) or following is None:
            raise DeltaError(f"the key {name[:64]!r} stands twice in an object; a delta needs distinct keys")
        if b"\\" in key[1]:
            written[name] = key[1]
        seen += 1
        byte = following.end()
    return written
