"""
A report's body in every encoding that somebody asks for, each made once. Pure.

Everything is cut from one deflate: a WebSocket frame and a gzip file are the same compressed blocks with other bytes
around them. Source: RFC 1951, RFC 1952, RFC 7692.
"""

import functools
import zlib

# A larger body is compressed in a thread: this much takes 1 ms, and meanwhile nobody else would be served.
INLINE_BYTES = 64 * 1024
# Raw deflate with the largest window, as every browser takes it.
_RAW = -zlib.MAX_WBITS
_GZIP_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
# An empty block that says it is the last one (RFC 1951, 3.2.3).
_LAST_BLOCK = b"\x03\0"


def deflate(data: bytes) -> bytes:
    """Compress ``data`` into whole blocks that may stand anywhere in a deflate stream, none of them its last."""
    compressor = zlib.compressobj(wbits=_RAW)
    # A full flush ends on a byte and lets nothing that follows refer back.
    return compressor.compress(data) + compressor.flush(zlib.Z_FULL_FLUSH)


class PreparedBody:
    """
    A report's body, shared by every client that is sent it.

    Attributes:
        raw: Strict JSON in UTF-8.
    """

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    @functools.cached_property
    def deflated(self) -> bytes:
        """See ``deflate``."""
        return deflate(self.raw)

    @functools.cached_property
    def gzip(self) -> bytes:
        """As ``Content-Encoding: gzip`` has it."""
        trailer = zlib.crc32(self.raw).to_bytes(4, "little") + (len(self.raw) & 0xFFFFFFFF).to_bytes(4, "little")
        return b"".join((_GZIP_HEADER, self.deflated, _LAST_BLOCK, trailer))

    @property
    def is_large(self) -> bool:
        """Whether compressing it takes so long that a thread has to do it."""
        return len(self.raw) > INLINE_BYTES
