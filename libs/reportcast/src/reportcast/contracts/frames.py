"""
Frames of the WebSocket without a subprotocol: what clients send, and what they are sent.

Source: docs/protocol.md, Frames.
"""

import dataclasses
import enum
import functools
import json

import msgspec

from reportcast import __version__

SERVER = f"reportcast-{__version__}"


@dataclasses.dataclass(frozen=True)
class PreparedFrame:
    """
    A frame encoded once, shared by every client that is sent it.

    Attributes:
        payload: UTF-8 JSON.
    """

    payload: bytes

    @functools.cached_property
    def text(self) -> str:
        """The payload as ASGI wants it."""
        return self.payload.decode()


class Request(enum.Enum):
    """What a client may ask."""

    PING = "ping"
    UPDATE = "request-update"


class RequestError(Exception):
    """A client's message that cannot be answered; ``str()`` is the contract's sentence for it."""


def parse_request(text: str | bytes) -> Request:
    """
    Read one message of a client.

    Raises:
        RequestError: If it is no JSON object with a ``type``, or its type is unknown.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise RequestError("Invalid message format") from exc
    if not isinstance(message, dict) or "type" not in message:
        raise RequestError("Invalid message format")
    kind = message["type"]
    try:
        return Request(kind)
    except ValueError:
        word = kind if isinstance(kind, str) else json.dumps(kind)
        raise RequestError(f"Unknown message type: {word}") from None


def audit_update(body: bytes, timestamp: str) -> PreparedFrame:
    """Prepare the frame that carries the whole report, as written."""
    tail = _encode({"timestamp": timestamp, "server": SERVER})[1:]
    return PreparedFrame(b'{"type":"audit-update","data":%b,%b' % (body, tail))


def pong(timestamp: str) -> PreparedFrame:
    """Prepare the answer to ``ping``."""
    return PreparedFrame(_encode({"type": "pong", "timestamp": timestamp}))


def request_error(error: RequestError) -> PreparedFrame:
    """Prepare the answer to a message that cannot be answered."""
    # ASCII, because a client's own lone surrogate would not survive UTF-8.
    return PreparedFrame(json.dumps({"type": "error", "message": str(error)}, separators=(",", ":")).encode())


def no_report(timestamp: str) -> PreparedFrame:
    """Prepare what a client gets while there is no report."""
    return PreparedFrame(_encode({"type": "error", "message": "Failed to load audit data", "timestamp": timestamp}))


def _encode(fields: dict[str, str]) -> bytes:
    return msgspec.json.encode(fields)
