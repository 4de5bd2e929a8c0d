import json

import pytest
from reportcast.contracts.frames import (
    SERVER,
    Request,
    RequestError,
    audit_update,
    no_report,
    parse_request,
    pong,
    request_error,
)


def test_audit_update_carries_the_report_as_written() -> None:
    """The body is neither parsed nor encoded again."""
    frame = audit_update(b'{"x":1.10}', "2026-11-23T12:00:00.000Z")

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
