"""A body is compressed once, and frames and gzip are cut from that."""

import gzip
import sys
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportcast.contracts.body import INLINE_BYTES, PreparedBody, deflate

from tests.support.reports import audit_bytes

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


@given(st.binary(max_size=5000))
def test_gzip(raw: bytes) -> None:
    """What a gzip reader unpacks is the body."""
    assert gzip.decompress(PreparedBody(raw).gzip) == raw


@given(st.binary(max_size=5000))
def test_zstd(raw: bytes) -> None:
    """What a zstd reader unpacks is the body."""
    assert zstd.decompress(PreparedBody(raw).zstd) == raw


def test_any_http_client_can_read_the_zstd() -> None:
    """It asks for a window of at most 8 MiB, which is all that one has to have."""
    raw = audit_bytes(1) * 30_000

    window_log = zstd.DecompressionParameter.window_log_max
    assert zstd.decompress(PreparedBody(raw).zstd, options={window_log: 23}) == raw


@given(st.lists(st.binary(max_size=500)))
def test_deflated_pieces_can_be_joined(pieces: list[bytes]) -> None:
    """They are one stream, whatever stands before and after each."""
    stream = b"".join(map(deflate, pieces))

    assert zlib.decompressobj(-15).decompress(stream) == b"".join(pieces)


def test_each_encoding_is_made_once() -> None:
    """The second who asks gets the same object."""
    body = PreparedBody(audit_bytes(1))
    assert not body.is_made("zstd")

    assert body.gzip is body.gzip
    assert body.deflated is body.deflated
    assert body.zstd is body.zstd
    assert body.is_made("zstd")


@pytest.mark.parametrize(("size", "expected"), [(INLINE_BYTES, False), (INLINE_BYTES + 1, True)])
def test_a_large_body_is_for_a_thread(size: int, expected: bool) -> None:
    """What takes more than a millisecond is not compressed where everybody waits."""
    assert PreparedBody(b" " * size).is_large is expected
