"""
Frames of ``reportcast.v1`` as a client reads them. Pure.

Source: docs/protocol.md, Frames.
"""

import hashlib
import re
import urllib.parse

import msgspec
from reportcast.contracts.position import Position

CHANNEL = "audit"
CHANGE = re.compile(rb'"change":(\d+)')
NOTHING = msgspec.Raw(b"null")


class Frame(msgspec.Struct):
    """Whatever a frame may say; ``data`` and ``changes`` stay the text that they are."""

    type: str
    epoch: str | None = None
    offset: int | None = None
    base: str = ""
    digest: str = ""
    recovered: bool = False
    to: int = 0
    retry_after_ms: int | None = None
    code: str = ""
    message: str = ""
    data: msgspec.Raw = NOTHING
    changes: msgspec.Raw = NOTHING

    @property
    def position(self) -> Position | None:
        """Where it stands; ``None`` if it names no position."""
        return Position(self.epoch, self.offset) if self.epoch is not None and self.offset is not None else None


_DECODER = msgspec.json.Decoder(Frame)
_ENCODER = msgspec.json.Encoder()


def frame_of(text: bytes | str) -> Frame:
    """Read a frame."""
    return _DECODER.decode(text)


def digest_of(body: bytes) -> str:
    """Give the name of a report's content."""
    return hashlib.sha256(body).hexdigest()


def change_of(body: bytes) -> int:
    """Give the number of the change that made a report; the suite's own writer puts it near the beginning."""
    found = CHANGE.search(body, 0, 200)
    return int(found[1]) if found else 0


def query(held: Position | None) -> str:
    """Give the path that follows the channel, from a position if there is one."""
    fields = {"channel": CHANNEL} | ({"epoch": held.epoch, "offset": str(held.offset)} if held else {})
    return "/ws?" + urllib.parse.urlencode(fields)


def follow(held: Position | None) -> str:
    """Give the message that wishes to go on from a position."""
    at = {"epoch": held.epoch, "offset": held.offset} if held else {}
    return _ENCODER.encode({"type": "follow", "channel": CHANNEL, **at}).decode()
