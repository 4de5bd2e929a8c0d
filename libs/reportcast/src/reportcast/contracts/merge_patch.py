"""
JSON merge patches, made of and applied to texts: what they do not name stays as it is written.

Source: RFC 7386; docs/protocol.md, Deltas.
"""

from reportcast.contracts.errors import DeltaError
from reportcast.contracts.members import MAX_LEVELS, Members, Text, is_object, read_members
from reportcast.contracts.object_patch import diff_members

_NULL = b"null"


def diff_merge(before: Text, after: Text, levels: int = MAX_LEVELS) -> bytes | None:
    """
    Give the patch that makes the object ``after`` of ``before``.

    Returns:
        ``None`` if there is none. It has to be proved: a value that holds nulls may not come out as it is.
    """
    if not levels or not (is_object(before) and is_object(after)):
        return None
    try:
        old = read_members(before)
        patch = diff_members(old, read_members(after))
    except DeltaError:  # a key stands twice, or there are too many parts
        return None
    if patch is None:
        return None
    values: dict[str, Text] = dict.fromkeys(patch.unset, _NULL)
    for key, text in patch.set.items():
        value = _value(old.values.get(key, b""), text, levels)
        if value is None:
            return None
        values[key] = value
    return Members(values).write()


def _value(before: Text, after: Text, levels: int) -> Text | None:
    if is_object(before) and is_object(after):
        return diff_merge(before, after, levels - 1)
    return None if bytes(after) == _NULL else after


def apply_merge(patch: Text, target: Text, levels: int = MAX_LEVELS) -> bytes:
    """
    Give what ``target`` becomes (RFC 7386, section 2).

    Raises:
        DeltaError: If a key stands twice where the patch changes something, or it is nested too deeply.
    """
    if not is_object(patch):
        return bytes(patch)
    if not levels:
        raise DeltaError(f"the merge patch has more than {MAX_LEVELS} levels; more are not followed")
    members = read_members(target) if is_object(target) else Members({})
    changes = read_members(patch)
    for key, value in changes.values.items():
        if bytes(value) == _NULL:
            members.values.pop(key, None)
            members.keys.pop(key, None)
            continue
        if key not in members.values and key in changes.keys:
            members.keys[key] = changes.keys[key]
        members.values[key] = apply_merge(value, members.values.get(key, b""), levels - 1)
    return members.write()
