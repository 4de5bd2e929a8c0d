"""What a compressed answer says, never more than a piece at a time. Pure."""

import zlib
from collections.abc import Iterator

from reportcast_client.errors import Blocked

# Two or three compressed bytes may stand for as many thousand: what is made of them at once has to be bounded, too.
PIECE_BYTES = 64 * 1024
# Of zlib: with gzip's head and tail.
_GZIP = 31


class Unpacking:
    """
    Gives what an answer says, from what comes.

    Args:
        encoding: Its ``Content-Encoding``; empty if it has none.
        asked: What was asked for: ``gzip`` or ``identity``.

    Raises:
        Blocked: If it is encoded otherwise; what is packed twice could be a thousand times a thousand times as long.
    """

    def __init__(self, encoding: str, asked: str) -> None:
        encoding = encoding.strip().lower() or "identity"
        if encoding not in ("identity", asked):
            raise Blocked(f"what answers is encoded as {encoding!r}, which nobody asked for")
        self._packed = zlib.decompressobj(_GZIP) if encoding == "gzip" else None

    @property
    def is_whole(self) -> bool:
        """Whether its end has come, as far as it has one of its own."""
        return self._packed is None or self._packed.eof

    def pieces(self, received: bytes) -> Iterator[bytes]:
        """
        Take what came; give what that says, in bounded pieces.

        Raises:
            zlib.error: If it is not what it says to be.
        """
        if self._packed is None:
            yield received
            return
        # Behind the end nothing is expected; zlib would keep it.
        while not self._packed.eof and (piece := self._packed.decompress(received, PIECE_BYTES)):
            yield piece
            received = self._packed.unconsumed_tail
