"""
What changed from one JSON value to another, by the places in it: a JSON patch in words. Pure.

Source: RFC 6902; docs/protocol.md, Deltas.
"""

import dataclasses
import functools
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec
from reportcast.contracts.json_patch import Operation, diff_operations
from reportcast.contracts.members import Text, is_array, is_object

# How an item of an array is called instead of its number, by the first of these that it has.
LABELS = ("name", "id", "host", "hostname", "key")

LABEL_CHARACTERS = 40

_WORD = re.compile(r"[\w-]+")
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items = msgspec.json.Decoder(list[msgspec.Raw])


@dataclasses.dataclass(frozen=True, slots=True)
class Member:
    """
    A value that changed.

    Attributes:
        path: Where it is, as ``records[mx1].ttl``; an item that is new, and has no label, has no number either.
        before: As written; ``None`` if there was none.
        after: As written; ``None`` if there is none any more.
    """

    path: str
    before: bytes | None
    after: bytes | None


def steps(before: Text, after: Text, path: str = "") -> Iterator[Member]:
    """
    Tell what changed.

    Args:
        before: JSON without insignificant white space that msgspec can decode.
        after: The same.
        path: Where both are.
    """
    if bytes(before) == bytes(after):
        return
    operations = diff_operations(before, after)
    if operations is None or operations[0].path == "":
        yield from _look_into(before, after, path)
        return
    top = _Value(before)
    found = [_find(top, operation, number, path) for number, operation in enumerate(operations)]
    for operation, place in sorted(zip(operations, found, strict=True), key=lambda each: each[1].order):
        if operation.op == "replace":
            yield from _look_into(place.before, operation.value, place.path)
        else:
            yield Member(place.path, place.before or None, bytes(operation.value) or None)


def _look_into(before: Text, after: Text, path: str) -> Iterator[Member]:
    """Tell what changed inside of a value that a patch would replace."""
    if is_object(before) and is_object(after):
        yield from _inner(_members.decode(before), _members.decode(after), lambda key: _below(path, key))
    elif is_array(before) and is_array(after) and (lists := _by_label(before, after)):
        yield from _inner(*lists, lambda label: f"{path}[{label}]")
    else:
        yield Member(path, bytes(before), bytes(after))


_Texts = dict[str, msgspec.Raw]


def _inner(old: _Texts, new: _Texts, path_of: Callable[[str], str]) -> Iterator[Member]:
    for key, text in old.items():
        if key in new:
            yield from steps(text, new[key], path_of(key))
        else:
            yield Member(path_of(key), bytes(text), None)
    for key, text in new.items():
        if key not in old:
            yield Member(path_of(key), None, bytes(text))


def _by_label(before: Text, after: Text) -> tuple[_Texts, _Texts] | None:
    """Give the items of two arrays by their labels, if all have one of their own; of others, the whole says more."""
    lists = []
    for array in (before, after):
        items = _items.decode(array)
        labelled = {label: text for text in items if (label := _label(text)) is not None}
        if len(labelled) < len(items):
            return None
        lists.append(labelled)
    return lists[0], lists[1]


class _Value:
    """A value, which is taken apart once something in it is looked for."""

    def __init__(self, text: Text) -> None:
        self.text = bytes(text)
        self.is_array = is_array(text)

    @functools.cached_property
    def items(self) -> list["_Value"]:
        return [_Value(text) for text in _items.decode(self.text)]

    @functools.cached_property
    def members(self) -> dict[str, tuple[int, "_Value"]]:
        return {key: (at, _Value(text)) for at, (key, text) in enumerate(_members.decode(self.text).items())}


class _Place(NamedTuple):
    """Where an operation works, and what was there; ``order`` is that of the text."""

    path: str
    before: bytes
    order: list[tuple[int, int]]


def _find(value: _Value, operation: Operation, number: int, path: str) -> _Place:
    """
    Find what an operation is about in the value before.

    A patch goes through an array from its end on, so its indexes are those before, and the last of what is put in at
    one place comes first; what it puts in has no index there.
    """
    order: list[tuple[int, int]] = []
    tokens = [token.replace("~1", "/").replace("~0", "~") for token in operation.path.split("/")[1:]]
    for depth, token in enumerate(tokens):
        is_new = operation.op == "add" and depth == len(tokens) - 1
        if value.is_array:
            at = int(token)
            order.append((2 * at + (not is_new), -number))
            path = _item(path, None, operation.value) if is_new else _item(path, at, value.items[at].text)
            value = _NOTHING if is_new else value.items[at]
        else:
            position, inner = value.members.get(token, (len(value.members), _NOTHING))
            order.append((position, number))
            path, value = _below(path, token), inner
    return _Place(path, value.text, order)


_NOTHING = _Value(b"")


def _below(path: str, key: str) -> str:
    if not _WORD.fullmatch(key):
        return f"{path}[{msgspec.json.encode(key).decode()}]"
    return f"{path}.{key}" if path else key


def _item(path: str, index: int | None, text: Text) -> str:
    return f"{path}[{_label(text) or ('' if index is None else index)}]"


def _label(text: Text) -> str | None:
    if not is_object(text):
        return None
    members = _members.decode(text)
    written = next((bytes(members[key]) for key in LABELS if key in members), b"")
    label = msgspec.json.decode(written) if written[:1] == b'"' or written.isdigit() else None
    return None if label in (None, "") else str(label)[:LABEL_CHARACTERS]
