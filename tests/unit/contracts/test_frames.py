import json

import pytest
from reportcast.contracts.body import PreparedBody
from reportcast.contracts.frames import (
    PING_FRAME,
    SERVER,
    Request,
    RequestError,
    audit_update,
    close_frame,
    no_report,
    parse_request,
    pong,
    request_error,
)
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Close, Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri


def test_audit_update_carries_the_report_as_written() -> None:
    """The body is neither parsed nor encoded again."""
    frame = audit_update(PreparedBody(b'{"x":1.10}'), "2026-11-23T12:00:00.000Z")

    assert frame.text == (
        '{"type":"audit-update","data":{"x":1.10},"timestamp":"2026-11-23T12:00:00.000Z","server":"' + SERVER + '"}'
    )


def test_a_frame_is_decoded_once() -> None:
    """Every client is sent the very same text."""
    frame = pong("now")

    assert frame.text is frame.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('{"type":"ping"}', Request.PING, id="ping"),
        pytest.param('{"type":"request-update","more":1}', Request.UPDATE, id="request-update"),
        pytest.param(b'{"type":"ping"}', Request.PING, id="binary"),
    ],
)
def test_requests(text: str | bytes, expected: Request) -> None:
    """A client may ask for two things."""
    assert parse_request(text) is expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("hello", "Invalid message format", id="not-json"),
        pytest.param("[]", "Invalid message format", id="list"),
        pytest.param("{}", "Invalid message format", id="no-type"),
        pytest.param(b"\xff", "Invalid message format", id="not-utf-8"),
        pytest.param("[" * 1000, "Invalid message format", id="cut-off"),
        pytest.param('{"a":' * 200_000, "Invalid message format", id="deep"),
        pytest.param('{"type":"dance"}', "Unknown message type: dance", id="unknown"),
        pytest.param('{"type":5}', "Unknown message type: 5", id="number"),
        pytest.param('{"type":null}', "Unknown message type: null", id="null"),
        pytest.param('{"type":["ping"]}', 'Unknown message type: ["ping"]', id="list-as-type"),
        pytest.param('{"type":"\\ud800"}', "Unknown message type: \ud800", id="lone-surrogate"),
    ],
)
def test_bad_requests(text: str | bytes, sentence: str) -> None:
    """Whatever else a client sends is answered with the contract's sentence."""
    with pytest.raises(RequestError) as caught:
        parse_request(text)

    answer = json.loads(request_error(caught.value).text)
    assert answer == {"type": "error", "message": sentence}


def test_no_report() -> None:
    """A client that comes before the first report is told so."""
    assert json.loads(no_report("now").payload) == {
        "type": "error",
        "message": "Failed to load audit data",
        "timestamp": "now",
    }


def test_pong() -> None:
    """A ping is answered with the time."""
    assert json.loads(pong("now").payload) == {"type": "pong", "timestamp": "now"}


@pytest.mark.parametrize("size", [1, 1500, 70_000, 5_000_000])
def test_a_frame_on_the_wire(size: int) -> None:
    """A WebSocket client reads the message from the plain frame, and from the one that is deflated."""
    frame = audit_update(PreparedBody(b'"' + b"x" * size + b'"'), "now")

    plain, deflated = received(frame.plain), received(frame.deflated)

    assert plain == deflated == frame.payload
    assert frame.plain[0] == 0x81
    assert frame.deflated[0] == (0xC1 if size > 1024 else 0x81)
    assert len(frame.deflated) <= len(frame.plain)


def test_small_frames_are_not_deflated() -> None:
    """The very same bytes serve both kinds of client."""
    frame = pong("now")

    assert frame.deflated is frame.plain


def test_control_frames() -> None:
    """A ping without payload, and a close with code and reason."""
    client = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN)
    client.receive_data(PING_FRAME)
    client.receive_data(close_frame(1012, '{"retry_after_ms":250}'))

    ping, close = client.events_received()

    assert isinstance(ping, Frame)
    assert (ping.opcode, bytes(ping.data)) == (Opcode.PING, b"")
    assert isinstance(close, Frame)
    assert client.close_rcvd == Close(1012, '{"retry_after_ms":250}')


def received(wire: bytes) -> bytes:
    """Give the one message that a client with permessage-deflate reads from these bytes."""
    client = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=None)
    client.extensions = [PerMessageDeflate(True, True, 15, 15)]
    client.receive_data(wire)
    (frame,) = client.events_received()
    assert isinstance(frame, Frame)
    return bytes(frame.data)
