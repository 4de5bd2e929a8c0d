import dataclasses

import pytest
from reportcast.contracts.messages import (
    Delta,
    MessageError,
    Refreshed,
    Snapshot,
    Source,
    SourceState,
    decode_message,
    encode_message,
    encode_stamps,
    number,
    number_delta,
)
from reportcast.contracts.position import Position
from reportcast.contracts.trace import Skew, Trace

from tests.support.reports import publication

HEADER = b'{"type":"snapshot","epoch":"e","offset":1,"name":"n.json",'


def test_snapshot_survives_the_broker() -> None:
    """Header as publish.lua writes it, line feed, body: decoded to what in-process numbering gives."""
    sent = publication()

    received = decode_message(HEADER + encode_stamps(sent) + b"\n" + sent.body)

    assert received == number(sent, Position("e", 1), "n.json")
    assert isinstance(received, Snapshot)
    assert received.position == Position("e", 1)


@pytest.mark.parametrize("skew", [None, Skew(-3, 7)], ids=["unknown", "known"])
def test_a_trace_survives_the_broker(skew: Skew | None) -> None:
    """In the header; it goes on to what comes of a change."""
    trace = Trace(1, 2, 3, 4, skew)
    sent = dataclasses.replace(publication(), trace=trace, base="b", delta=b"{}")

    snapshot = decode_message(HEADER + encode_stamps(sent) + b"\n" + sent.body)
    header = HEADER.replace(b"snapshot", b"delta") + b'"base":"b",'
    delta = decode_message(header + encode_stamps(sent) + b"\n{}")

    assert isinstance(snapshot, Snapshot)
    assert isinstance(delta, Delta)
    assert (snapshot.trace, delta.trace) == (trace, trace)
    assert delta.grown(sent.body) == snapshot
    assert number_delta(sent, snapshot) == delta


def test_times_of_a_trace_that_no_clock_has() -> None:
    """Are refused with the message: what reckons with them later must not fail."""
    sent = dataclasses.replace(publication(), trace=Trace(1, 2, 3, -(10**400)))

    with pytest.raises(MessageError, match="published_us"):
        decode_message(HEADER + encode_stamps(sent) + b"\n" + sent.body)


def test_what_is_not_traced_reads_as_ever() -> None:
    """Of older watchers, and for older gateways."""
    assert b"trace" not in encode_stamps(publication())


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(Source(SourceState.REJECTED, "2026-11-23T12:00:00.000Z", "why"), id="source"),
        pytest.param(Refreshed(), id="refreshed"),
    ],
)
def test_messages_without_body_survive_the_broker(message: Source | Refreshed) -> None:
    """Decoding gives what was encoded."""
    assert decode_message(encode_message(message)) == message


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xfe", id="binary"),
        pytest.param(b'{"type":"strange"}', id="unknown-type"),
        pytest.param(b'{"type":"snapshot"}\n{}', id="fields-missing"),
        pytest.param(HEADER + encode_stamps(publication()), id="no-body"),
        pytest.param(HEADER + b'"digest":"d","published_at":"noon","modified_at":"noon"}\n{}', id="bad-time"),
        pytest.param(b"[" * 100_000, id="deep"),
    ],
)
def test_foreign_bytes_are_refused(raw: bytes) -> None:
    """What is none of ours is an error with a reason, whatever it is."""
    with pytest.raises(MessageError, match=r"."):
        decode_message(raw)
