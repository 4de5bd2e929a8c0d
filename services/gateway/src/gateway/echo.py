"""What comes back over the probe's WebSocket, proved as any client can prove it. Pure."""

import hashlib
from typing import NamedTuple

import msgspec
from reportcast.contracts.canary import Canary, read_canary
from reportcast.contracts.delta import apply
from reportcast.contracts.errors import DeltaError
from reportcast.contracts.position import Continuity, Position


class EchoError(Exception):
    """What came is not what was to come; ``str()`` says so in one sentence."""


class Returned(NamedTuple):
    """
    A canary that came back.

    Attributes:
        position: Its place in the stream.
        canary: What it says.
        is_live: Whether it came when it was new, and not because the client was.
    """

    position: Position
    canary: Canary
    is_live: bool


class _Frame(msgspec.Struct):
    type: str
    epoch: str | None = None
    offset: int | None = None
    base: str = ""
    digest: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")
    changes: msgspec.Raw = msgspec.Raw(b"")
    message: str = ""


_decoder = msgspec.json.Decoder(_Frame)


class Echo:
    """
    The frames of one WebSocket that follows the canary alone.

    Attributes:
        is_following: Whether the gateway has said that it does.
    """

    def __init__(self) -> None:
        self.is_following = False
        self._position: Position | None = None
        self._digest = ""
        self._body = b""

    def take(self, text: str | bytes) -> Returned | None:
        """
        Take the next frame; give the canary that comes of it, if one does.

        Raises:
            EchoError: If it is none of the protocol's, does not follow on what came before, or is an error.
        """
        try:
            frame = _decoder.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            raise EchoError(f"what came is no frame of reportcast.v1: {exc}") from exc
        match frame.type:
            case "snapshot":
                return self._adopt(frame, bytes(frame.data))
            case "delta":
                return self._adopt(frame, self._changed(frame))
            case "following":
                self.is_following = True
                return None
            case "error":
                raise EchoError(f"the gateway refused: {frame.message}")
            case _:
                return None

    def _changed(self, frame: _Frame) -> bytes:
        position = _position(frame)
        if self._position is None or self._position.classify(position) is not Continuity.NEXT:
            raise EchoError(f"a change came out of turn, at offset {position.offset}")
        if frame.base != self._digest:
            raise EchoError(f"the change at offset {position.offset} starts from another canary")
        try:
            return apply(bytes(frame.changes), self._body)
        except DeltaError as exc:
            raise EchoError(f"the change at offset {position.offset} does not fit: {exc}") from exc

    def _adopt(self, frame: _Frame, body: bytes) -> Returned:
        position, canary = _position(frame), read_canary(body)
        if canary is None or hashlib.sha256(body).hexdigest() != frame.digest:
            raise EchoError(f"what came at offset {position.offset} is not the canary that was published")
        is_live = self._position is not None
        self._position, self._digest, self._body = position, frame.digest, body
        return Returned(position, canary, is_live)


def _position(frame: _Frame) -> Position:
    if frame.epoch is None or frame.offset is None:
        raise EchoError(f"a {frame.type} came without a position")
    return Position(frame.epoch, frame.offset)
