"""Events come out as they were put in, wherever the network cuts."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportcast_client.errors import TooLarge
from reportcast_client.event_lines import EventLines

STREAM = (
    b"\xef\xbb\xbfretry: 1000\n\n: a comment\nid: e:1\ndata: one\n\ndata:two\rdata: lines\r\rdata: three\r\n\r\n"
    b"event: x\ndata\n\ndata:  four\n\ndata: cut off"
)
EVENTS = [b"one", b"two\nlines", b"three", b"", b" four"]


@given(st.sets(st.integers(0, len(STREAM))))
def test_pieces_do_not_matter(cuts: set[int]) -> None:
    """Of whatever size they are."""
    lines, found = EventLines(100), []
    places = [0, *sorted(cuts), len(STREAM)]

    for begin, end in itertools.pairwise(places):
        found += lines.feed(STREAM[begin:end])

    assert found == EVENTS


@pytest.mark.parametrize(
    "stream",
    [b"data: 12345678901\n\n", b"data: 12345678901", b"data: 1234567\ndata: 1234567\n", b":12345678901"],
    ids=["whole", "not whole", "in lines", "a comment"],
)
def test_an_event_is_bounded(stream: bytes) -> None:
    """By what is allowed, whether it is whole or not; what comes before it does not count."""
    lines = EventLines(10)
    assert lines.feed(b"data: 1234567890\n\ndata: 123\n\n") == [b"1234567890", b"123"]

    with pytest.raises(TooLarge, match="max_bytes allows 10"):
        lines.feed(stream)
