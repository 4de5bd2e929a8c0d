"""
What changes of an object's members: some are set, some unset. The ones that stay keep their order.

Source: docs/protocol.md, Deltas.
"""

import msgspec

from reportcast.contracts.errors import DeltaError
from reportcast.contracts.members import Members, Text, is_object, read_members


class ObjectPatch(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """
    What changes of an object.

    Attributes:
        set: Values by key; a member that is there keeps its place, another is added behind the last.
        unset: Keys that go, before any is set.
    """

    set: dict[str, msgspec.Raw] = {}
    unset: list[str] = []


def diff_members(before: Members, after: Members) -> ObjectPatch | None:
    """Give what makes ``after`` of ``before``; ``None`` if setting and unsetting does not make it."""
    if not (before.is_plain and after.is_plain):
        return None
    old, new = before.values, after.values
    stay = [key for key in old if key in new]
    added = [key for key in new if key not in old]
    if [*stay, *added] != list(new):
        return None
    changed = {key: msgspec.Raw(text) for key, text in new.items() if key not in old or old[key] != text}
    return ObjectPatch(changed, [key for key in old if key not in new])


def diff_object(before: Text, after: Text) -> ObjectPatch | None:
    """Give what makes the object ``after`` of ``before``; ``None`` if there is none, or one is no object."""
    if not (is_object(before) and is_object(after)):
        return None
    try:
        return diff_members(read_members(before), read_members(after))
    except DeltaError:  # a key stands twice
        return None


def apply_members(patch: ObjectPatch, members: Members) -> None:
    """
    Change ``members``.

    Raises:
        DeltaError: If a member that is to go is not there.
    """
    for key in patch.unset:
        if members.values.pop(key, None) is None:
            raise DeltaError(f"the delta unsets {key[:64]!r}, which is not there")
        members.keys.pop(key, None)
    members.values.update(patch.set)


def apply_object(patch: ObjectPatch, text: Text) -> bytes:
    """
    Give the object that ``text`` becomes.

    Raises:
        DeltaError: If it is none, or ``patch`` does not fit it.
    """
    if not is_object(text):
        raise DeltaError("the delta sets members of what is no object")
    members = read_members(text)
    apply_members(patch, members)
    return members.write()
