"""
What changed from one report to the next, as it travels; exact to the byte. Pure.

Source: docs/protocol.md, Deltas.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

from reportcast.contracts.errors import DeltaError
from reportcast.contracts.json_patch import apply_json_patch, json_patch_of
from reportcast.contracts.merge_patch import apply_merge_patch, merge_patch_of
from reportcast.contracts.report import ReportKind
from reportcast.contracts.repos_delta import ReposDelta, apply_repos_delta, repos_delta_of

# A delta that is longer than this part of the report, and than so many bytes, is not worth it.
WORTH = 0.5
ALWAYS_WORTH_BYTES = 1024


class _Patch(msgspec.Struct):
    format: Literal["merge-patch", "json-patch"]
    patch: msgspec.Raw


class _Format(msgspec.Struct):
    format: Literal["repos", "merge-patch", "json-patch"]


_format = msgspec.json.Decoder(_Format)
_patch = msgspec.json.Decoder(_Patch)
_repos = msgspec.json.Decoder(ReposDelta)


def diff(before: bytes, after: bytes, kind: ReportKind) -> bytes | None:
    """
    Give what leads from one report's body to another's.

    It has proved itself: ``apply`` gives ``after`` to the byte.

    Returns:
        ``None`` if there is none that is worth it: at most half as long as ``after``, or 1 KiB.
    """
    try:
        for delta in _candidates(before, after, kind):
            if len(delta) <= max(WORTH * len(after), ALWAYS_WORTH_BYTES) and apply(delta, before) == after:
                return delta
    except (DeltaError, RecursionError):
        return None
    return None


def _candidates(before: bytes, after: bytes, kind: ReportKind) -> Iterator[bytes]:
    if kind is ReportKind.AUDIT:
        delta = repos_delta_of(before, after)
        if delta is not None:
            yield msgspec.json.encode(delta)
        return
    merge = _Patch("merge-patch", msgspec.Raw(merge_patch_of(before, after)))
    patch = _Patch("json-patch", msgspec.Raw(json_patch_of(before, after)))
    yield from sorted(map(msgspec.json.encode, (merge, patch)), key=len)


def apply(delta: bytes, body: bytes) -> bytes:
    """
    Make the next report's body of one.

    Args:
        delta: From whoever; it need not be right.
        body: To which.

    Raises:
        DeltaError: If it is no delta, or does not fit.
    """
    try:
        kind = _format.decode(delta).format
        if kind == "repos":
            return apply_repos_delta(body, _repos.decode(delta))
        patch = bytes(_patch.decode(delta).patch)
        return apply_merge_patch(body, patch) if kind == "merge-patch" else apply_json_patch(body, patch)
    except (msgspec.DecodeError, UnicodeError) as exc:
        raise DeltaError(f"it is no delta: {exc}") from exc
    except RecursionError as exc:
        raise DeltaError("it is nested too deeply") from exc
