"""What a client reads of a frame."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from reportcast_client.frames import Delta, Skipped, Snapshot, frame_of, frames_of

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
        "",
        "no JSON",
        "[]",
        "7",
        '{"type":"later"}',
        '{"type":"delta"}',
        '{"type":"hello"}',
        "[" * 9999,
    ],
    ids=["nothing", "no JSON", "array", "number", "a later type", "not whole", "another type", "deep"],
)
def test_what_is_no_frame(text: str) -> None:
    """Is passed by."""
    assert frame_of(text.encode()) is None


def test_an_array_is_taken_apart() -> None:
    """Into the frames as they stand, with escaped lone surrogates too."""
    frames = [entry["frame"] for entry in GOLDEN]

    assert frames_of(f"[{', '.join(frames)}]".encode()) == [frame.encode() for frame in frames]
    assert frames_of(b"[]") == []


@pytest.mark.parametrize("text", [b"", b"{}", b"[1", b'["\\ud800', b"<html>"])
def test_what_is_no_array(text: bytes) -> None:
    """Is an error of one sentence."""
    with pytest.raises(ValueError, match="this is no array of frames: "):
        frames_of(text)
