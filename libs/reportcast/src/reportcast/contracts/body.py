"""
A report's body in every encoding that somebody asks for, each made once. Pure.

A WebSocket frame and a gzip file are cut from one deflate: they are the same compressed blocks with other bytes around
them. Source: RFC 1951, RFC 1952, RFC 7692, docs/adr/0013-one-deflate.md.
"""

import enum
import struct
import sys
import zlib
from typing import Literal

from reportcast.contracts.once import Once

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# A larger body is compressed in a thread: this much takes 1 ms, and meanwhile nobody else would be served.
INLINE_BYTES = 64 * 1024
# Raw deflate with the largest window, as every browser takes it.
_RAW = -zlib.MAX_WBITS
# From 5 on it takes three times as long and saves little (docs/adr/0013-one-deflate.md). Its window is 2 MiB; an HTTP
# client need not have more than 8 (RFC 9659).
ZSTD_LEVEL = 3
# What stands before compressed blocks (RFC 1952): of no file, and of no time.
GZIP_HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
# An empty block that says it is the last one (RFC 1951, 3.2.3).
_LAST_BLOCK = b"\x03\0"

_MAX_STORED = 0xFFFF

# What is made of a body, as attributes of ``PreparedBody``.
Form = Literal["deflated", "gzip", "zstd"]


class Encoding(enum.StrEnum):
    """How a body travels, in the words of HTTP; what we like best comes first."""

    ZSTD = "zstd"
    GZIP = "gzip"
    IDENTITY = "identity"


def deflate(data: bytes) -> bytes:
    """Compress ``data`` into whole blocks that may stand anywhere in a deflate stream, none of them its last."""
    compressor = zlib.compressobj(wbits=_RAW)
    # A full flush ends on a byte and lets nothing that follows refer back.
    return compressor.compress(data) + compressor.flush(zlib.Z_FULL_FLUSH)


def stored(data: bytes) -> bytes:
    """Give what ``deflate`` gives without compressing it: of little that one client alone is sent (RFC 1951, 3.2.4)."""
    if len(data) > _MAX_STORED:
        return deflate(data)
    return struct.pack("<BHH", 0, len(data), len(data) ^ 0xFFFF) + data


class PreparedBody:
    """
    A report's body, shared by every client that is sent it.

    Attributes:
        raw: Strict JSON in UTF-8.
        zstd_level: How hard it is compressed.
    """

    zstd_level = ZSTD_LEVEL

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    @Once
    def deflated(self) -> bytes:
        """See ``deflate``."""
        return deflate(self.raw)

    @Once
    def gzip(self) -> bytes:
        """As ``Content-Encoding: gzip`` has it."""
        trailer = zlib.crc32(self.raw).to_bytes(4, "little") + (len(self.raw) & 0xFFFFFFFF).to_bytes(4, "little")
        return b"".join((GZIP_HEADER, self.deflated, _LAST_BLOCK, trailer))

    @Once
    def zstd(self) -> bytes:
        """As ``Content-Encoding: zstd`` has it."""
        return zstd.compress(self.raw, level=self.zstd_level)

    def is_made(self, form: Form) -> bool:
        """Tell whether ``form`` costs nothing any more."""
        return form in vars(self)

    @property
    def is_large(self) -> bool:
        """Whether compressing it takes so long that a thread has to do it."""
        return len(self.raw) > INLINE_BYTES
