"""What a client sends, whichever way it arrives."""

import tracemalloc
import zlib
from collections.abc import Sequence

import pytest
from gateway.inbox import MAX_MESSAGE_BYTES, Inbox
from hypothesis import given
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Close, Frame, Opcode

MESSAGES = st.lists(st.one_of(st.text(max_size=300), st.binary(max_size=300)), max_size=6)


def encode(messages: Sequence[str | bytes], pieces: int = 1, deflates: bool = False) -> bytes:
    """Give what a client sends for these messages, each in several frames, with a ping between any two."""
    extensions = [PerMessageDeflate(True, True, 15, 15)] if deflates else []
    sent = b""
    for message in messages:
        opcode = Opcode.TEXT if isinstance(message, str) else Opcode.BINARY
        content = message.encode() if isinstance(message, str) else message
        size = len(content) // pieces + 1
        for number in range(pieces):
            piece = content[number * size : (number + 1) * size]
            frame = Frame(Opcode.CONT if number else opcode, piece, fin=number == pieces - 1)
            sent += frame.serialize(mask=True, extensions=extensions)
            sent += Frame(Opcode.PING, b"?").serialize(mask=True)
    return sent


@given(MESSAGES, st.integers(1, 3), st.booleans(), st.data())
def test_messages_arrive_however_they_are_cut(
    messages: list[str | bytes], pieces: int, deflates: bool, data: st.DataObject
) -> None:
    """Into frames and into reads; and whenever an inbox says that it is at rest, a new one reads on as well."""
    sent = encode(messages, pieces, deflates)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=8)))
    inbox, received, pings = Inbox(deflates), [], 0
    for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
        got = inbox.receive(sent[start:end])
        received += got.messages
        pings += got.output.count(b"\x8a\x01?")
        if inbox.is_at_rest:
            inbox = Inbox(deflates)

    assert received == messages
    assert pings == len(messages) * pieces
    assert inbox.is_at_rest
    assert inbox.close_code is None


def test_it_is_not_at_rest_within_a_frame() -> None:
    """Not after any of its bytes but the last."""
    sent = Frame(Opcode.TEXT, b"x" * 200).serialize(mask=True)
    for cut in range(1, len(sent)):
        inbox = Inbox(False)
        inbox.receive(sent[:cut])
        assert not inbox.is_at_rest


def test_it_is_not_at_rest_within_a_message() -> None:
    """The rest of it needs its beginning."""
    inbox = Inbox(False)
    inbox.receive(Frame(Opcode.TEXT, b"x", fin=False).serialize(mask=True))

    assert not inbox.is_at_rest


def test_empty_frames_are_not_kept() -> None:
    """A message of them without end takes no memory, and is a message all the same."""
    inbox, empty = Inbox(False), Frame(Opcode.CONT, b"", fin=False).serialize(mask=True)
    inbox.receive(Frame(Opcode.TEXT, b"", fin=False).serialize(mask=True))
    inbox.receive(empty * 100)
    tracemalloc.start()
    inbox.receive(empty * 100)
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(100):
        inbox.receive(empty * 100)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()

    assert grown < 1000
    assert not inbox.is_at_rest
    assert inbox.receive(Frame(Opcode.CONT, b"", fin=True).serialize(mask=True)).messages == [""]


def bomb() -> bytes:
    """Give a message of 1 MB that is 1 kB on the wire."""
    compressor = zlib.compressobj(wbits=-15)
    content = compressor.compress(b"x" * 1_000_000) + compressor.flush(zlib.Z_SYNC_FLUSH)
    frame = Frame(Opcode.TEXT, content[:-4]).serialize(mask=True)
    return bytes([frame[0] | 0x40]) + frame[1:]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        pytest.param(Frame(Opcode.CLOSE, Close(1000, "").serialize()).serialize(mask=True), 1000, id="close"),
        pytest.param(Frame(Opcode.CLOSE, b"").serialize(mask=True), 1005, id="close-without-code"),
        pytest.param(Frame(Opcode.TEXT, b"x" * (MAX_MESSAGE_BYTES + 1)).serialize(mask=True), 1009, id="too-big"),
        pytest.param(encode(["x" * (MAX_MESSAGE_BYTES + 1)], 3), 1009, id="too-big-in-pieces"),
        pytest.param(bomb(), 1009, id="too-big-inflated"),
        pytest.param(Frame(Opcode.TEXT, b"x").serialize(mask=False), 1002, id="not-masked"),
        pytest.param(b"\xff\xff\xff\xff\xff\xff", 1002, id="garbage"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 1002, id="http"),
        pytest.param(Frame(Opcode.TEXT, b"\xff\xfe").serialize(mask=True), 1007, id="not-utf-8"),
        pytest.param(Frame(Opcode.CONT, b"x").serialize(mask=True), 1002, id="continues-nothing"),
    ],
)
def test_what_ends_a_connection(sent: bytes, code: int) -> None:
    """Each with its code, a close frame to send, and nothing more to read from it."""
    inbox = Inbox(True)

    received = inbox.receive(sent)

    assert inbox.close_code == code
    assert 0x88 in received.output
    assert received.messages == []
    assert not inbox.is_at_rest
    assert inbox.receive(encode(["more"])).messages == []


def test_frames_are_counted() -> None:
    """Of every kind: a flood of pings is one, too."""
    assert Inbox(False).receive(encode(["a", "b"], 2)).frames == 8
