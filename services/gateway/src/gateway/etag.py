"""A report's ETags: its digest and how it is encoded. Pure. Source: RFC 9110, 8.8.3 and 13.1.2."""

from collections.abc import Sequence

from reportcast.contracts.body import Encoding


def etag_of(digest: str, encoding: Encoding) -> str:
    """Give the strong ETag of these very bytes."""
    return f'"{digest}"' if encoding is Encoding.IDENTITY else f'"{digest}-{encoding}"'


def known_etag(if_none_match: str | None, digest: str, encodings: Sequence[Encoding]) -> str | None:
    """
    Give the ETag by which the client has the report already, ``None`` if it has not.

    Args:
        if_none_match: The header, ``None`` without one.
        digest: The report's.
        encodings: Which the client takes, one at least, the one it would be sent first. A shared cache names what it
            keeps for all of its clients, and gives this one what is named in the answer.
    """
    if if_none_match is None:
        return None
    named = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    etags = [etag_of(digest, encoding) for encoding in encodings]
    if named == ["*"]:
        return etags[0]
    return next((etag for etag in etags if etag in named), None)
