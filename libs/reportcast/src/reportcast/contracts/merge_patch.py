"""
JSON Merge Patch, on texts. Pure.

Source: RFC 7386; docs/protocol.md, Deltas.
"""

from reportcast.contracts.errors import DeltaError
from reportcast.contracts.members import members_of, object_of

_NULL = b"null"


def merge_patch_of(before: bytes, after: bytes) -> bytes:
    """
    Give a patch that leads from one text to the other.

    It need not lead there: a member that becomes ``null``, and another order of members, cannot be said.
    """
    old, new = members_of(before), members_of(after)
    if old is None or new is None:
        return after
    patch = {key: _NULL for key in old if key not in new}
    patch |= {
        key: merge_patch_of(old[key], value) if key in old else value
        for key, value in new.items()
        if old.get(key) != value
    }
    return object_of(patch)


def apply_merge_patch(body: bytes | None, patch: bytes) -> bytes:
    """
    Apply a patch.

    Args:
        body: To which; ``None``: to nothing.
        patch: What.

    Raises:
        DeltaError: If an object that it changes cannot be taken apart.
    """
    changes = members_of(patch)
    if changes is None:
        if patch.startswith(b"{"):
            raise DeltaError("an object of the patch has a key twice, or is not compact")
        return patch
    members: dict[str, bytes] = {}
    if body is not None and body.startswith(b"{"):
        held = members_of(body)
        if held is None:
            raise DeltaError("an object that is to be changed has a key twice, or is not compact")
        members = held
    for key, value in changes.items():
        if value == _NULL:
            members.pop(key, None)
        else:
            members[key] = apply_merge_patch(members.get(key), value)
    return object_of(members)
