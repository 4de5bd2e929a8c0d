"""What a client makes of compressed answers."""

import gzip
import zlib

import pytest
from reportcast_client import Blocked
from reportcast_client.unpacking import PIECE_BYTES, Unpacking

TEXT = b"0123456789" * 100_000


@pytest.mark.parametrize("size", [1, 100, 10_000_000])
def test_what_was_packed(size: int) -> None:
    """Comes out whole, however it arrives, and never much of it at once."""
    packed, unpacking = gzip.compress(TEXT), Unpacking("GZIP", "gzip")
    pieces = [piece for at in range(0, len(packed), size) for piece in unpacking.pieces(packed[at : at + size])]

    assert b"".join(pieces) == TEXT
    assert max(map(len, pieces)) <= PIECE_BYTES
    assert unpacking.is_whole
    assert list(unpacking.pieces(packed)) == []


@pytest.mark.parametrize("encoding", ["", "identity"])
def test_what_was_not(encoding: str) -> None:
    """Is given as it comes."""
    assert list(Unpacking(encoding, "gzip").pieces(b"abc")) == [b"abc"]


@pytest.mark.parametrize(("encoding", "asked"), [("gzip, gzip", "gzip"), ("br", "gzip"), ("gzip", "identity")])
def test_what_nobody_asked_for(encoding: str, asked: str) -> None:
    """Is refused: what is packed twice may be a million times as long."""
    with pytest.raises(Blocked, match="which nobody asked for"):
        Unpacking(encoding, asked)


def test_what_is_not_packed() -> None:
    """Though it says so."""
    with pytest.raises(zlib.error):
        list(Unpacking("gzip", "gzip").pieces(b"abc"))
