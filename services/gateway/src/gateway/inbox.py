"""
What one client sends, read by the WebSocket library's protocol without I/O. Made when a client says more than a pong,
and let go as soon as nothing of it is left to remember, because it is larger than all the rest of a connection.

Source: docs/protocol.md, Frames.
"""

import inspect
from types import GeneratorType
from typing import Any, NamedTuple, cast

from reportcast.contracts.close_codes import NO_CODE, CloseCode
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.streams import StreamReader

# A client's message; a longer one closes its connection with 1009.
MAX_MESSAGE_BYTES = 1024


class Received(NamedTuple):
    """
    What one read came to.

    Attributes:
        messages: Those that are whole now.
        output: What has to be sent: answers to pings, a close frame.
        frames: How many frames there were, of any kind.
    """

    messages: list[str | bytes]
    output: bytes
    frames: int


class Inbox:
    """
    The inbound half of an accepted WebSocket.

    Args:
        deflates: Whether permessage-deflate was negotiated, without context takeover.
    """

    def __init__(self, deflates: bool) -> None:
        self._parser = ServerProtocol(state=State.OPEN, max_size=MAX_MESSAGE_BYTES)
        self._parser.extensions = [PerMessageDeflate(True, True, 15, 15)] if deflates else []
        # What has come of the present message; `None` between two. Its frames may be empty, and without end.
        self._begun: bytearray | None = None
        self._is_text = True

    def receive(self, data: bytes) -> Received:
        """Read what came."""
        self._parser.receive_data(data)
        messages, frames = [], 0
        for event in self._parser.events_received():
            assert isinstance(event, Frame)  # the handshake is over
            frames += 1
            if event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT) and (message := self._add(event)) is not None:
                messages.append(message)
        return Received(messages, b"".join(self._parser.data_to_send()), frames)

    @property
    def is_at_rest(self) -> bool:
        """Whether a new inbox would read on just as well: nothing was begun."""
        innermost = cast("GeneratorType[Any, Any, Any]", self._parser.parser)
        while inspect.isgenerator(innermost.gi_yieldfrom):
            innermost = innermost.gi_yieldfrom
        # It waits there, and there alone, between two frames with nothing read ahead.
        between_frames = innermost.gi_code is StreamReader.at_eof.__code__
        return between_frames and self._begun is None and self._parser.state is State.OPEN

    @property
    def close_code(self) -> int | None:
        """With what the connection ends, by the client's wish or for its mistake; ``None`` while it goes on."""
        if self._parser.state is State.OPEN:
            return None
        close = self._parser.close_rcvd or self._parser.close_sent
        return close.code if close else NO_CODE

    def _add(self, frame: Frame) -> str | bytes | None:
        if self._begun is None:
            self._begun, self._is_text = bytearray(), frame.opcode is Opcode.TEXT
        self._begun += frame.data
        if not frame.fin:
            return None
        message, self._begun = bytes(self._begun), None
        if not self._is_text:
            return message
        try:
            return message.decode()
        except UnicodeDecodeError:
            self._parser.fail(CloseCode.INVALID_TEXT, "a text message is not UTF-8")
            return None
