"""Which encodings a client takes. Pure. Source: RFC 9110, 12.4.2 and 12.5.3."""

import functools
import re

from reportcast.contracts.body import Encoding
from reportcast.contracts.frames import DEFLATE_FROM_BYTES

# A header's member: a coding or *, and a weight.
_MEMBER = re.compile(r"([!#$%&'*+.^_`|~0-9a-z-]+)(?:[ \t]*;[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?")
# Below every weight that can be written: identity need not be listed, and comes last then.
_UNLISTED = 0.0001


def acceptable(accept_encoding: str | None, size: int) -> tuple[Encoding, ...]:
    """
    Give the encodings that a client takes: what it likes best first, and where it does not mind, what we like best.

    Args:
        accept_encoding: The header, ``None`` without one; what is malformed in it counts as not there.
        size: Of the body in bytes; a small one is not worth encoding.

    Returns:
        None at all if the client refuses each of ours.
    """
    weights = _weights(accept_encoding)
    # Python's sort keeps the order of what is equal.
    best_first = sorted((each for each in Encoding if weights[each]), key=lambda each: -weights[each])
    if size < DEFLATE_FROM_BYTES:
        best_first.sort(key=lambda each: each is not Encoding.IDENTITY)
    return tuple(best_first)


def prefers_gzip(accept_encoding: str | None) -> bool:
    """Tell whether a client takes a stream compressed rather than as it is."""
    best = acceptable(accept_encoding, DEFLATE_FROM_BYTES)
    return Encoding.GZIP in best and Encoding.IDENTITY not in best[: best.index(Encoding.GZIP)]


@functools.lru_cache(256)
def _weights(accept_encoding: str | None) -> dict[Encoding, float]:
    if accept_encoding is None:
        # Anything is allowed, but this is also how one asks who has never heard of encodings.
        return {Encoding.ZSTD: _UNLISTED, Encoding.GZIP: _UNLISTED, Encoding.IDENTITY: 1.0}
    members = [_MEMBER.fullmatch(member.strip(" \t")) for member in accept_encoding.lower().split(",")]
    listed = {_name(found[1]): float(found[2] or 1) for found in members if found}
    others = listed.get("*", 0.0)
    unlisted_identity = listed.get("*", _UNLISTED)
    return {
        Encoding.ZSTD: listed.get("zstd", others),
        Encoding.GZIP: listed.get("gzip", others),
        Encoding.IDENTITY: listed.get("identity", unlisted_identity),
    }


def _name(coding: str) -> str:
    return "gzip" if coding == "x-gzip" else coding  # RFC 9110, 8.4.1.3
