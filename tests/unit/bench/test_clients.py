import pytest
from reportcast.contracts.body import PreparedBody
from reportcast.contracts.frames import audit_update, pong
from reportcast.contracts.report import parse_report

from bench.clients import PING, TEXT, ClientError, FrameReader, change_of
from bench.writer import report_bytes


def server_frame(payload: bytes, opcode: int = TEXT, final: bool = True) -> bytes:
    """Give a frame as a server sends it: not masked (RFC 6455, 5.2)."""
    first = (0x80 if final else 0) | opcode
    if len(payload) < 126:
        return bytes([first, len(payload)]) + payload
    if len(payload) < 65536:
        return bytes([first, 126]) + len(payload).to_bytes(2) + payload
    return bytes([first, 127]) + len(payload).to_bytes(8) + payload


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 200_000])
def test_a_frame_of_every_size_is_read(size: int) -> None:
    """Each of the three forms of the length is understood."""
    payload = b"x" * size

    assert list(FrameReader().feed(server_frame(payload))) == [(TEXT, payload)]


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 100, 303])
def test_a_frame_in_pieces_is_given_once_it_is_whole(cut: int) -> None:
    """Wherever the stream is cut, a frame comes with its last byte and not before."""
    stream = server_frame(b"a" * 300)
    reader = FrameReader()

    early, late = list(reader.feed(stream[:cut])), list(reader.feed(stream[cut:]))

    assert (early, late) == ([], [(TEXT, b"a" * 300)])


def test_frames_in_one_piece_are_given_apart() -> None:
    """What arrives together, with the beginning of the next, is taken apart."""
    stream = server_frame(b"one") + server_frame(b"", PING) + server_frame(b"two")
    reader = FrameReader()

    assert list(reader.feed(stream[:-1])) == [(TEXT, b"one"), (PING, b"")]
    assert list(reader.feed(stream[-1:])) == [(TEXT, b"two")]


def test_a_fragmented_frame_is_refused() -> None:
    """The gateway sends whole frames; a benchmark that guessed would measure the wrong thing."""
    with pytest.raises(ClientError, match="fragmented"):
        list(FrameReader().feed(server_frame(b"part", final=False)))


def test_the_change_is_found_in_the_gateways_frame() -> None:
    """The number survives reading, publishing and framing by the product's own code."""
    frame = audit_update(PreparedBody(parse_report(report_bytes(1234, repos=50)).body), "2026-11-23T12:00:00.000Z")

    assert change_of(frame.payload) == 1234


def test_a_frame_without_a_change_is_refused() -> None:
    """A frame of another kind is no receipt."""
    with pytest.raises(ClientError, match="without a change"):
        change_of(pong("2026-11-23T12:00:00.000Z").payload)
