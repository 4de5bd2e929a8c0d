"""What a client reads of a frame."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from reportcast_client import Blocked
from reportcast_client.frames import Delta, Skipped, Snapshot, frame_of, frames_of

DEEP = b"[" * 3000 + b"]" * 3000
ENTRIES = json.loads((Path(__file__).parents[2] / "golden" / "frames.json").read_text())
# The others are a client's own.
GOLDEN = [entry for entry in ENTRIES if entry["type"] not in ("follow", "unfollow", "request-update", "ping")]


@pytest.mark.parametrize("entry", GOLDEN, ids=[entry["name"] for entry in GOLDEN])
def test_a_golden_frame(entry: dict[str, Any]) -> None:
    """Is of its type; a report's text is what its digest says, whatever is in it."""
    frame = frame_of(entry["frame"].encode())

    assert frame is not None
    assert frame.__struct_config__.tag == entry["type"]
    if isinstance(frame, Snapshot):
        assert hashlib.sha256(bytes(frame.data)).hexdigest() == frame.digest
    if isinstance(frame, Snapshot | Delta):
        assert frame.hops_ms == json.loads(entry["frame"]).get("hops_ms", {})
    if isinstance(frame, Delta):
        assert json.loads(bytes(frame.changes))["format"]
    if isinstance(frame, Skipped):
        assert frame.merged >= 1


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"no JSON",
        b"[]",
        b"7",
        b'{"type":"later"}',
        b'{"type":"later","x":"\\ud800"}',
        b'{"type":"delta"}',
        b'{"type":"status"}',
        b'{"type":"status","channel":"\xff"}',
    ],
    ids=["nothing", "no JSON", "array", "number", "a later type", "a surrogate", "not whole", "otherwise", "no UTF-8"],
)
def test_what_is_no_frame(text: bytes) -> None:
    """Is passed by."""
    assert frame_of(text) is None


@pytest.mark.parametrize(
    "text",
    [
        b'{"type":"hello"}',
        b'{"type":"snapshot","x":"\\ud800"}',
        b'{"type":"snapshot","channel":"\xff"}',
        b'{ "type" : "snapshot",',
        DEEP.join([b'{"type":"snapshot","data":', b"}"]),
        DEEP.join([b'{"type":"delta","changes":', b"}"]),
    ],
    ids=["hello", "snapshot", "no UTF-8", "torn", "deep", "deep delta"],
)
def test_what_cannot_be_read(text: bytes) -> None:
    """Is an interruption, which is told: else nobody would know why nothing comes."""
    with pytest.raises(Blocked, match=r"^a [a-z]+ came that cannot be read: "):
        frame_of(text)


def test_an_array_is_taken_apart() -> None:
    """Into the frames as they stand, with escaped lone surrogates too."""
    frames = [entry["frame"] for entry in GOLDEN]

    assert frames_of(f"[{', '.join(frames)}]".encode()) == [frame.encode() for frame in frames]
    assert frames_of(b"[]") == []


@pytest.mark.parametrize("text", [b"", b"{}", b"[1", b'["\\ud800', b"<html>", b"[" * 9999])
def test_what_is_no_array(text: bytes) -> None:
    """Is an error of one sentence."""
    with pytest.raises(ValueError, match="this is no array of frames: "):
        frames_of(text)
