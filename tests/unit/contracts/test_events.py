"""A frame as an event of a stream: what comes of it at a reader, compressed or not."""

import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportcast.contracts.body import GZIP_HEADER, PreparedBody, stored
from reportcast.contracts.frames import PreparedFrame, chunk
from reportcast.contracts.position import Position
from reportcast.contracts.v1_frames import HEARTBEAT, drain_frame
from reportcast.contracts.v1_requests import Follow, V1Error, filter_of, follow_of_events, position_of
from reportcast.contracts.view import Filter

EPOCH = "1b65fea20ca22296"
AT_FOUR = Position(EPOCH, 4)


def unchunked(data: bytes) -> bytes:
    """Put what stands in chunks together (RFC 9112, 7.1.3)."""
    content = b""
    while data:
        size, _, rest = data.partition(b"\r\n")
        length = int(size, 16)
        content, data = content + rest[:length], rest[length + 2 :]
        assert rest[length : length + 2] == b"\r\n"
    return content


def inflated(data: bytes) -> bytes:
    """Unpack the beginning of a gzip file."""
    return zlib.decompressobj(wbits=31).decompress(GZIP_HEADER + data)


def data_of(event: bytes) -> bytes:
    """Give what a reader has of an event's ``data`` (HTML, 9.2.6)."""
    assert event.endswith(b"\n\n")
    lines = re.split(rb"\r\n|\r|\n", event[:-2])
    return b"\n".join(line.removeprefix(b"data: ") for line in lines if line.startswith(b"data: "))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=3000))
def test_what_a_reader_gets(text: str) -> None:
    """Is the frame's payload, also where it has several lines; compressed it is the same."""
    frame = PreparedFrame(b'{"data":', PreparedBody(text.encode()), b"}", fields=b"id: e:1\n")
    event = unchunked(frame.event)

    assert event.startswith(b"id: e:1\n")
    assert data_of(event) == frame.payload
    assert inflated(unchunked(frame.event_deflated)) == event


def test_carriage_returns() -> None:
    """Would end a line at a reader: they are left out, and mean nothing in strict JSON."""
    frame = PreparedFrame(b"", PreparedBody(b'{\r\n"a":\r1}'))

    assert data_of(unchunked(frame.event)) == b'{\n"a":1}'


def test_several_events_in_one_stream() -> None:
    """Stand behind one another, whatever was done to each."""
    frames = [HEARTBEAT, PreparedFrame(b"[", PreparedBody(b"1" * 2000), b"]"), drain_frame(734)]
    stream = b"".join(unchunked(frame.event_deflated) for frame in frames)

    assert inflated(stream) == b"".join(unchunked(frame.event) for frame in frames)


def test_when_to_come_back() -> None:
    """Is what a browser goes by, too."""
    assert unchunked(drain_frame(734).event) == b'retry: 734\ndata: {"type":"drain","retry_after_ms":734}\n\n'


@given(st.binary(max_size=100))
def test_a_chunk(data: bytes) -> None:
    """Holds what it says."""
    assert unchunked(chunk(b"x", data)) == b"x" + data


@pytest.mark.parametrize("size", [0, 1, 65535, 65536])
def test_stored(size: int) -> None:
    """What is not compressed is read as what is."""
    assert inflated(stored(b"x" * size)) == b"x" * size


@pytest.mark.parametrize(
    ("query", "last_event_id", "follow"),
    [
        pytest.param("", None, Follow(None), id="nothing"),
        pytest.param("channel=dns", None, Follow("dns"), id="channel"),
        pytest.param(f"since={EPOCH}:4", None, Follow(None, AT_FOUR), id="since"),
        pytest.param(f"since={EPOCH}:1", f"{EPOCH}:4", Follow(None, AT_FOUR), id="the-header-wins"),
        pytest.param(f"since={EPOCH}:4", "", Follow(None, AT_FOUR), id="an-empty-header-says-nothing"),
        pytest.param(
            "status=dirty,&name=a*",
            None,
            Follow(None, None, Filter(frozenset({"dirty"}), frozenset({"a*"}))),
            id="filter",
        ),
    ],
)
def test_the_address_of_a_stream(query: str, last_event_id: str | None, follow: Follow) -> None:
    """Says what is followed, and from where."""
    pairs = [tuple(pair.split("=", 1)) for pair in query.split("&") if pair]

    assert follow_of_events(pairs, last_event_id) == follow  # type: ignore[arg-type] # pairs are of two


@pytest.mark.parametrize(
    "text", ["x", f"{EPOCH}", f"{EPOCH}:", f"{EPOCH}:-1", f":{4}", f"{EPOCH.upper()}:4", f"{EPOCH}:4:4"]
)
def test_no_position(text: str) -> None:
    """Is told on a stream, and refused elsewhere."""
    assert follow_of_events([("since", text)], None).error is not None
    with pytest.raises(V1Error):
        position_of(text)


def test_a_position() -> None:
    """Is read as it is written."""
    assert position_of(str(AT_FOUR)) == AT_FOUR
    assert position_of("") is None


def test_a_filter() -> None:
    """Is read from the address alone."""
    assert filter_of([("status", "dirty"), ("since", "x")]) == Filter(frozenset({"dirty"}), frozenset())
    assert filter_of([("since", "x")]) is None
