"""
Frames as they are prepared for every transport, and what is said on the WebSocket without a subprotocol.

Source: docs/protocol.md, Frames; docs/protocol.md, Events.
"""

import enum
import json
import struct

import msgspec
from websockets.frames import Close, Frame, Opcode

from reportcast import __version__
from reportcast.contracts.body import PreparedBody, deflate, stored
from reportcast.contracts.once import Once

SERVER = f"reportcast-{__version__}"

# Below, a deflated frame saves less than it costs the client to inflate.
DEFLATE_FROM_BYTES = 1024
# What ends a deflated message and is left out on the wire (RFC 7692, 7.2.1).
_FLUSHED = b"\0\0\xff\xff"
# First byte of a whole text message: FIN and opcode (RFC 6455, 5.2); and RSV1 if it is deflated (RFC 7692, 7.2.3.1).
_TEXT, _TEXT_DEFLATED = 0x81, 0xC1
# What stands before each line of an event, and ends it (HTML, 9.2.5).
_DATA, _EVENT_END = b"data: ", b"\n\n"


class PreparedFrame:
    """
    A frame encoded once, shared by every client that is sent it.

    Args:
        head: What stands before the body, UTF-8.
        body: A report's, in the middle of it.
        tail: What stands after it, UTF-8.
        fields: What an event stream is told besides, each a line: where a reader stands, when to come back.
    """

    def __init__(self, head: bytes, body: PreparedBody | None = None, tail: bytes = b"", fields: bytes = b"") -> None:
        self.body = body
        self._head = head
        self._tail = tail
        self._fields = fields

    @property
    def payload(self) -> bytes:
        """The message."""
        return b"".join((self._head, self.body.raw, self._tail)) if self.body else self._head

    @property
    def size(self) -> int:
        """Bytes of the message."""
        return len(self._head) + (len(self.body.raw) if self.body else 0) + len(self._tail)

    @Once
    def plain(self) -> bytes:
        """The frame as it stands on the wire."""
        parts = (self._head, self.body.raw, self._tail) if self.body else (self._head,)
        return b"".join((_header(_TEXT, self.size), *parts))

    @Once
    def deflated(self) -> bytes:
        """The frame for clients that take permessage-deflate; the plain one where compressing does not pay."""
        if self.body is None or len(self.body.raw) < DEFLATE_FROM_BYTES:
            return self.plain
        parts = (deflate(self._head), self.body.deflated, deflate(self._tail).removesuffix(_FLUSHED))
        return b"".join((_header(_TEXT_DEFLATED, sum(map(len, parts))), *parts))

    @Once
    def event(self) -> bytes:
        """The frame as an event, in a chunk of its own (RFC 9112, 7.1)."""
        body = (_in_lines(self.body).raw,) if self.body else ()
        return chunk(self._fields, _DATA, self._head, *body, self._tail, _EVENT_END)

    @Once
    def event_deflated(self) -> bytes:
        """The same in a stream that is compressed from its beginning to its end."""
        before, after = self._fields + _DATA + self._head, self._tail + _EVENT_END
        if self.body is None:
            return chunk(stored(before + after))
        return chunk(deflate(before), _in_lines(self.body).deflated, deflate(after))

    @Once
    def text(self) -> str:
        """The message as ASGI wants it."""
        return self.payload.decode()


def chunk(*parts: bytes) -> bytes:
    """Put ``parts``, which are not empty, into one chunk (RFC 9112, 7.1)."""
    return b"".join((b"%x\r\n" % sum(map(len, parts)), *parts, b"\r\n"))


def _in_lines(body: PreparedBody) -> PreparedBody:
    """Give ``body`` as an event has it: a report that kept its white space may have several lines."""
    if b"\n" not in body.raw and b"\r" not in body.raw:
        return body
    # A carriage return ends a line, too, and who reads cannot tell it from a line feed; in JSON it means nothing.
    return PreparedBody(body.raw.replace(b"\r", b"").replace(b"\n", b"\n" + _DATA))


def _header(first: int, size: int) -> bytes:
    """Give what stands before a server's payload. The library's own way copies the payload twice. (RFC 6455, 5.2.)"""
    if size < 126:
        return struct.pack("!BB", first, size)
    return struct.pack("!BBH", first, 126, size) if size < 65536 else struct.pack("!BBQ", first, 127, size)


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


def audit_update(body: PreparedBody, timestamp: str) -> PreparedFrame:
    """Prepare the frame that carries the whole report, as written."""
    tail = b"," + _encode({"timestamp": timestamp, "server": SERVER})[1:]
    return PreparedFrame(b'{"type":"audit-update","data":', body, tail)


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


def close_frame(code: int, reason: str = "") -> bytes:
    """Encode a close frame; ``reason`` is at most 123 bytes of UTF-8."""
    return Frame(Opcode.CLOSE, Close(code, reason).serialize()).serialize(mask=False)


# Without a payload, so that the answer to it is always the same but for its mask.
PING_FRAME = Frame(Opcode.PING, b"").serialize(mask=False)


def _encode(fields: dict[str, str | int]) -> bytes:
    return msgspec.json.encode(fields)
