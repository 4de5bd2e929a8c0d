"""
JSON Patch with its operations add, remove and replace, on texts. Pure.

Source: RFC 6902, RFC 6901; docs/protocol.md, Deltas.
"""

import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from reportcast.contracts.errors import DeltaError
from reportcast.contracts.members import array_of, elements_of, members_of, object_of

_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")

# Only what an operation leads through is taken apart; all else stays a text.
_Node = bytes | dict[str, "_Node"] | list["_Node"]


class Operation(msgspec.Struct, omit_defaults=True):
    """
    One step.

    Attributes:
        op: What.
        path: Where: a JSON Pointer.
        value: The new value; none for ``remove``.
    """

    op: Literal["add", "remove", "replace"]
    path: str
    value: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_operations = msgspec.json.Decoder(list[Operation])


def json_patch_of(before: bytes, after: bytes) -> bytes:
    """
    Give a patch that leads from one text to the other.

    It need not lead there: another order of members cannot be said.
    """
    found: list[Operation] = []
    _compare(before, after, "", found)
    return msgspec.json.encode(found)


def _compare(before: bytes, after: bytes, path: str, found: list[Operation]) -> None:
    if before == after:
        return
    old, new = members_of(before), members_of(after)
    if old is not None and new is not None:
        found += (Operation("remove", f"{path}/{_escaped(key)}") for key in old if key not in new)
        for key, value in new.items():
            place = f"{path}/{_escaped(key)}"
            if key in old:
                _compare(old[key], value, place, found)
            else:
                found.append(Operation("add", place, msgspec.Raw(value)))
        return
    olds, news = elements_of(before), elements_of(after)
    if olds is not None and news is not None:
        _compare_elements(olds, news, path, found)
    else:
        found.append(Operation("replace", path, msgspec.Raw(after)))


def _compare_elements(olds: Sequence[bytes], news: Sequence[bytes], path: str, found: list[Operation]) -> None:
    both = min(len(olds), len(news))
    first = next((index for index in range(both) if olds[index] != news[index]), both)
    same_end = 0
    while same_end < both - first and olds[-1 - same_end] == news[-1 - same_end]:
        same_end += 1
    old_end, new_end = len(olds) - same_end, len(news) - same_end
    for index in range(first, min(old_end, new_end)):
        _compare(olds[index], news[index], f"{path}/{index}", found)
    found += (Operation("remove", f"{path}/{index}") for index in range(old_end - 1, new_end - 1, -1))
    found += (Operation("add", f"{path}/{index}", msgspec.Raw(news[index])) for index in range(old_end, new_end))


def apply_json_patch(body: bytes, patch: bytes) -> bytes:
    """
    Apply a patch.

    Raises:
        DeltaError: If it is none, or leads to what is not there.
    """
    try:
        operations = _operations.decode(patch)
    except (msgspec.DecodeError, UnicodeError) as exc:
        raise DeltaError(f"it is no JSON Patch of add, remove and replace: {exc}") from exc
    # The report is the one element of a list, so that it can be replaced as all else can.
    root: list[_Node] = [body]
    for operation in operations:
        if operation.op != "remove" and operation.value is msgspec.UNSET:
            raise DeltaError(f"{operation.op} {operation.path[:64]!r} has no value")
        _do(root, operation)
    return _text(root[0])


def _do(root: list[_Node], operation: Operation) -> None:
    holder, key = _place(root, operation.path)
    value = b"" if isinstance(operation.value, msgspec.UnsetType) else bytes(operation.value)
    if isinstance(holder, dict):
        _set_member(holder, key, operation, value)
    elif holder is root and operation.op != "remove":
        root[0] = value
    elif holder is not root:
        _set_element(holder, key, operation, value)
    else:
        raise DeltaError("the whole cannot be removed")


def _set_member(holder: dict[str, _Node], key: str, operation: Operation, value: bytes) -> None:
    if operation.op != "add" and key not in holder:
        raise _nothing_at(operation.path)
    if operation.op == "remove":
        del holder[key]
    else:
        holder[key] = value


def _set_element(holder: list[_Node], key: str, operation: Operation, value: bytes) -> None:
    is_add = operation.op == "add"
    index = len(holder) if is_add and key == "-" else _index(key, operation.path)
    if index >= len(holder) + is_add:
        raise _nothing_at(operation.path)
    if is_add:
        holder.insert(index, value)
    elif operation.op == "remove":
        del holder[index]
    else:
        holder[index] = value


def _place(root: list[_Node], path: str) -> tuple[dict[str, _Node] | list[_Node], str]:
    """Give what holds the place that a JSON Pointer leads to, and its key there; what it leads through is opened."""
    if path and not path.startswith("/"):
        raise DeltaError(f"{path[:64]!r} is no JSON Pointer")
    holder: dict[str, _Node] | list[_Node] = root
    key = "0"
    for step in path.split("/")[1:]:
        holder = _opened(holder, key, path)
        key = step.replace("~1", "/").replace("~0", "~")
    return holder, key


def _opened(holder: dict[str, _Node] | list[_Node], key: str, path: str) -> dict[str, _Node] | list[_Node]:
    """Take apart what ``key`` leads to, once."""
    place: Any = key if isinstance(holder, dict) else _index(key, path)
    try:
        node: _Node = holder[place]
    except LookupError:
        raise _nothing_at(path) from None
    if isinstance(node, bytes):
        members, elements = members_of(node), elements_of(node)
        if members is None and elements is None:
            raise DeltaError(f"what {path[:64]!r} leads through is no object or array that can be taken apart")
        node = holder[place] = {**members} if members is not None else [*(elements or ())]
    return node


def _index(step: str, path: str) -> int:
    if not _INDEX.fullmatch(step):
        raise DeltaError(f"{path[:64]!r} leads into an array, where {step[:64]!r} is no index")
    return int(step)


def _nothing_at(path: str) -> DeltaError:
    return DeltaError(f"there is nothing at {path[:64]!r}")


def _text(node: _Node) -> bytes:
    if isinstance(node, bytes):
        return node
    if isinstance(node, dict):
        return object_of({key: _text(value) for key, value in node.items()})
    return array_of(map(_text, node))


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
