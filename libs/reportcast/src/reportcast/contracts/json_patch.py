"""
JSON patches of add, remove and replace, made of and applied to texts: what they do not name stays as it is written.

Source: RFC 6902, RFC 6901; docs/protocol.md, Deltas.
"""

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from reportcast.contracts.audit import NOTHING
from reportcast.contracts.errors import DeltaError
from reportcast.contracts.members import (
    MAX_LEVELS,
    Members,
    Text,
    is_array,
    is_object,
    join_items,
    read_items,
    read_members,
)
from reportcast.contracts.object_patch import diff_members
from reportcast.contracts.sequence import longest_rise, match

# Each may move all items of an array.
MAX_OPERATIONS = 10_000

# Leads behind the last item of an array.
_BEHIND = "-"
_INDEX = re.compile("0|[1-9][0-9]{0,9}")
_STRAY = re.compile("~(?![01])")


class Operation(msgspec.Struct, omit_defaults=True):
    """
    One step of a patch (RFC 6902, section 4); members that have no meaning in it are ignored.

    Attributes:
        op: What it does.
        path: To what (RFC 6901).
        value: What is put there; empty where there is none.
    """

    op: Literal["add", "remove", "replace"]
    path: str
    value: msgspec.Raw = NOTHING


class _Array:
    """An array that was taken apart."""

    __slots__ = ("items",)

    def __init__(self, items: list["_Node"]) -> None:
        self.items = items


class _Object:
    """An object that was taken apart."""

    __slots__ = ("keys", "values")

    def __init__(self, members: Members) -> None:
        self.values: dict[str, _Node] = dict(members.values)
        self.keys = members.keys


# What was not led through is still its text.
_Node = Text | _Array | _Object


def diff_operations(before: Text, after: Text) -> list[Operation] | None:
    """Give the steps that make ``after`` of ``before``; ``None`` if they are too many."""
    steps = _diff("", before, after, MAX_LEVELS)
    return steps if len(steps) <= MAX_OPERATIONS else None


def _diff(path: str, before: Text, after: Text, levels: int) -> list[Operation]:
    """Give the shorter of steps inside the value, and one that replaces it."""
    if bytes(before) == bytes(after):
        return []
    whole = Operation("replace", path, msgspec.Raw(after))
    limit = _size(whole)
    taken: list[Operation] = []
    try:
        for step in _inner_steps(path, before, after, levels):
            limit -= _size(step)
            if limit <= 0:
                return [whole]
            taken.append(step)
    except DeltaError:  # a key stands twice, or there are too many parts
        return [whole]
    return taken or [whole]


def _size(step: Operation) -> int:
    return len(step.path) + len(step.value) + len('{"op":"replace","path":"","value":},')


def _inner_steps(path: str, before: Text, after: Text, levels: int) -> Iterator[Operation]:
    if not levels:
        return
    if is_object(before) and is_object(after):
        yield from _object_steps(path, read_members(before), read_members(after), levels - 1)
    elif is_array(before) and is_array(after):
        yield from _array_steps(path, read_items(before), read_items(after), levels - 1)


def _object_steps(path: str, old: Members, new: Members, levels: int) -> Iterator[Operation]:
    patch = diff_members(old, new)
    if patch is None:
        return
    for key in patch.unset:
        yield Operation("remove", _below(path, key))
    for key, text in patch.set.items():
        if key in old.values:
            yield from _diff(_below(path, key), old.values[key], text, levels)
        else:
            yield Operation("add", _below(path, key), text)


def _below(path: str, key: str) -> str:
    return f"{path}/{key.replace('~', '~0').replace('/', '~1')}"


def _array_steps(path: str, old: list[msgspec.Raw], new: list[msgspec.Raw], levels: int) -> Iterator[Operation]:
    """From the end on, so that the indexes of what was not reached yet are those of the array before."""
    old_end, new_end = len(old), len(new)
    for old_index, new_index in reversed([(-1, -1), *_same(old, new)]):
        yield from _gap_steps(path, old[old_index + 1 : old_end], old_index + 1, new[new_index + 1 : new_end], levels)
        old_end, new_end = old_index, new_index


def _same(old: list[msgspec.Raw], new: list[msgspec.Raw]) -> list[tuple[int, int]]:
    """Give the indexes of items that are the same and in the same order, as far as is quickly found."""
    found = match(map(bytes, old), map(bytes, new))
    rise = longest_rise([index for index in found if index is not None])
    return [(index, at) for at, index in enumerate(found) if index is not None and index in rise]


def _gap_steps(
    path: str, old: list[msgspec.Raw], start: int, new: list[msgspec.Raw], levels: int
) -> Iterator[Operation]:
    """Change what lies between two items that are the same; ``start`` is the index of the first of ``old``."""
    paired = min(len(old), len(new))
    for index in reversed(range(paired, len(old))):
        yield Operation("remove", f"{path}/{start + index}")
    for text in reversed(new[paired:]):
        yield Operation("add", f"{path}/{start + paired}", text)
    for index in range(paired):
        yield from _diff(f"{path}/{start + index}", old[index], new[index], levels)


def apply_operations(operations: list[Operation], body: bytes) -> bytes:
    """
    Give what ``body`` becomes (RFC 6902, section 5).

    Raises:
        DeltaError: If a step does not fit it.
    """
    if len(operations) > MAX_OPERATIONS:
        raise DeltaError(f"the patch has {len(operations)} operations; at most {MAX_OPERATIONS} are applied")
    top = _Array([body])
    for operation in operations:
        tokens = _tokens(operation.path)
        if not tokens and operation.op != "remove":
            top.items[0] = _value(operation)
            continue
        if not tokens:
            raise DeltaError("the patch removes the whole report")
        parent: _Array | _Object = top
        for token in ["0", *tokens[:-1]]:
            parent = _open(parent, token)
        _step(parent, tokens[-1], operation)
    return _write(top.items[0])


def _tokens(path: str) -> list[str]:
    if (path and not path.startswith("/")) or _STRAY.search(path):
        raise DeltaError(f"the path {path[:64]!r} is no JSON pointer")
    tokens = [token.replace("~1", "/").replace("~0", "~") for token in path.split("/")[1:]]
    if len(tokens) > MAX_LEVELS:
        raise DeltaError(f"the path {path[:64]!r}... has {len(tokens)} steps; at most {MAX_LEVELS} are followed")
    return tokens


def _value(operation: Operation) -> msgspec.Raw:
    if not operation.value:
        raise DeltaError(f"the operation {operation.op} at {operation.path[:64]!r} has no value")
    return operation.value


def _open(parent: _Array | _Object, token: str) -> _Array | _Object:
    """Take apart what ``token`` leads to, if it is not yet."""
    if isinstance(parent, _Array):
        index = _index(token, len(parent.items))
        opened = parent.items[index] = _opened(parent.items[index])
        return opened
    if token not in parent.values:
        raise DeltaError(f"the path leads to {token[:64]!r}, which is not there")
    opened = parent.values[token] = _opened(parent.values[token])
    return opened


def _opened(node: _Node) -> _Array | _Object:
    if isinstance(node, _Array | _Object):
        return node
    if is_object(node):
        return _Object(read_members(node))
    if is_array(node):
        return _Array([*read_items(node)])
    raise DeltaError("the path leads through a value that is no object and no array")


def _index(token: str, size: int) -> int:
    if not _INDEX.fullmatch(token) or int(token) >= size:
        raise DeltaError(f"the path leads to {token[:64]!r} in an array of {size} items")
    return int(token)


def _step(parent: _Array | _Object, token: str, operation: Operation) -> None:
    if isinstance(parent, _Array):
        _step_array(parent.items, token, operation)
    else:
        _step_object(parent, token, operation)


def _step_array(items: list[_Node], token: str, operation: Operation) -> None:
    if operation.op == "add":
        items.insert(len(items) if token == _BEHIND else _index(token, len(items) + 1), _value(operation))
    elif operation.op == "replace":
        items[_index(token, len(items))] = _value(operation)
    else:
        del items[_index(token, len(items))]


def _step_object(parent: _Object, token: str, operation: Operation) -> None:
    if operation.op != "add" and token not in parent.values:
        raise DeltaError(f"the path leads to {token[:64]!r}, which is not there")
    if operation.op == "remove":
        del parent.values[token]
        parent.keys.pop(token, None)
    else:
        parent.values[token] = _value(operation)


def _write(node: _Node) -> bytes:
    if isinstance(node, _Array):
        return join_items(map(_write, node.items))
    if isinstance(node, _Object):
        return Members({key: _write(each) for key, each in node.values.items()}, node.keys).write()
    return bytes(node)
