"""
What changed from one report to the next: made, proved, applied. Pure.

Texts are compared and cut, never built into objects: a value comes out as its producer wrote it.

Source: docs/protocol.md, Deltas.
"""

import msgspec

from reportcast.contracts.errors import DeltaError, ReportShapeError
from reportcast.contracts.json_patch import Operation, apply_operations, diff_operations
from reportcast.contracts.merge_patch import apply_merge, diff_merge
from reportcast.contracts.report import ReportKind
from reportcast.contracts.repos_delta import ReposDelta, apply_repos, diff_repos


class MergePatch(msgspec.Struct, forbid_unknown_fields=True, tag_field="format", tag="merge-patch"):
    """What changes of a generic report, in the words of RFC 7386."""

    patch: msgspec.Raw


class JsonPatch(msgspec.Struct, forbid_unknown_fields=True, tag_field="format", tag="json-patch"):
    """What changes of a generic report, in the words of RFC 6902."""

    patch: list[Operation]


# A delta that is longer than this, and than half of the report, is not worth it.
WORTH_BYTES = 1024

_decoder: msgspec.json.Decoder[ReposDelta | MergePatch | JsonPatch] = msgspec.json.Decoder(
    ReposDelta | MergePatch | JsonPatch
)


def diff(before: bytes, after: bytes, kind: ReportKind) -> bytes | None:
    """
    Give the delta from one report's body to the next one's.

    Returns:
        Compact JSON; ``None`` if none that is at most half as long as ``after``, or WORTH_BYTES, makes exactly that of
        ``before``: then the whole report is to be sent.
    """
    try:
        deltas = [_encode_audit(before, after)] if kind is ReportKind.AUDIT else _encode_generic(before, after)
    except (DeltaError, ReportShapeError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    longest = max(len(after) // 2, WORTH_BYTES)
    for delta in sorted(filter(None, deltas), key=len):
        if len(delta) <= longest and _proves(delta, before, after):
            return delta
    return None


def _encode_audit(before: bytes, after: bytes) -> bytes | None:
    delta = ReposDelta() if before == after else diff_repos(before, after)
    return None if delta is None else msgspec.json.encode(delta)


def _encode_generic(before: bytes, after: bytes) -> list[bytes | None]:
    merge = diff_merge(before, after)
    operations = diff_operations(before, after)
    return [
        merge and msgspec.json.encode(MergePatch(msgspec.Raw(merge))),
        None if operations is None else msgspec.json.encode(JsonPatch(operations)),
    ]


def _proves(delta: bytes, before: bytes, after: bytes) -> bool:
    try:
        return apply(delta, before) == after
    except DeltaError:
        return False


def apply(delta: bytes, body: bytes) -> bytes:
    """
    Give the body that ``body`` becomes.

    Args:
        delta: Any bytes.
        body: JSON without insignificant white space.

    Raises:
        DeltaError: If ``delta`` is none that we know, or does not fit ``body``.
    """
    try:
        delta.decode()
        return _apply(_decoder.decode(delta), body)
    except RecursionError as exc:
        raise DeltaError("the delta or the report is nested too deeply") from exc
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise DeltaError(f"the delta of {len(delta)} bytes is none of ours, or is for another report: {exc}") from exc


def _apply(delta: ReposDelta | MergePatch | JsonPatch, body: bytes) -> bytes:
    if isinstance(delta, ReposDelta):
        return apply_repos(delta, body)
    msgspec.json.decode(body, type=msgspec.Raw)
    if isinstance(delta, MergePatch):
        return apply_merge(delta.patch, body)
    return apply_operations(delta.patch, body)
