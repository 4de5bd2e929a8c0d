"""What the storm's clients understand, and what is told of them."""

import random
from collections.abc import Sequence
from xml.etree import ElementTree

import pytest
from reportcast.contracts.close_codes import CloseCode
from reportcast.contracts.frames import close_frame
from reportcast.contracts.position import Position
from reportcast.contracts.v1_frames import following

from bench.storming.client import BASE_S, CAP_S, StormClient
from bench.storming.crowd import Event
from bench.storming.results import picture_of, storm_of, table_of

ANSWER = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


def text(payload: bytes) -> bytes:
    """Give a frame that holds a text."""
    return bytes([0x81, 126]) + len(payload).to_bytes(2, "big") + payload


def answered(position: Position | None, recovered: bool) -> bytes:
    return text(following("audit", position, recovered).plain[2:])


def content(kind: str, offset: int, epoch: str = "e") -> bytes:
    return text(b'{"type":"%s","channel":"audit","epoch":"%s","offset":%d}' % (kind.encode(), epoch.encode(), offset))


def at(offset: int) -> StormClient:
    """Give a client that stands at an offset, and was cut off."""
    client = StormClient()
    client.handshake("h", 1)
    client.take(ANSWER + answered(Position("e", offset), False) + content("snapshot", offset))
    client.wait_s(random.Random(1))
    return client


def test_a_client_gives_its_position() -> None:
    """Once it has one."""
    assert b"/ws?channel=audit HTTP" in StormClient().handshake("h", 1)
    assert b"/ws?channel=audit&epoch=e&offset=4 HTTP" in at(4).handshake("h", 1)


@pytest.mark.parametrize(
    ("frames", "is_settled", "counts"),
    [
        pytest.param([answered(Position("e", 4), True)], True, (1, 0, 0), id="nothing missed"),
        pytest.param([answered(Position("e", 6), True), content("delta", 5)], False, (1, 0, 0), id="half way"),
        pytest.param(
            [answered(Position("e", 6), True), content("delta", 5), content("delta", 6)], True, (1, 0, 0), id="resumed"
        ),
        pytest.param([answered(Position("e", 6), True), content("delta", 6)], False, (1, 0, 1), id="a gap"),
        pytest.param([answered(Position("f", 1), False), content("snapshot", 1, "f")], True, (0, 1, 0), id="refused"),
        pytest.param([content("delta", 5)], False, (0, 0, 0), id="not answered yet"),
    ],
)
def test_a_client_is_settled(frames: Sequence[bytes], is_settled: bool, counts: tuple[int, int, int]) -> None:
    """When it was answered, and has what it was promised."""
    client = at(4)
    client.handshake("h", 1)

    assert client.take(ANSWER + b"".join(frames))

    assert client.is_settled is is_settled
    assert (client.recovered, client.refused, client.gaps) == counts


def test_the_end_of_a_connection() -> None:
    """A refusal and a close are one; a ping is not."""
    refused, closed, pinged = StormClient(), StormClient(), StormClient()
    for client in (refused, closed, pinged):
        client.handshake("h", 1)

    assert not refused.take(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
    assert not closed.take(ANSWER + close_frame(CloseCode.SERVICE_RESTART, "{}"))
    assert pinged.take(ANSWER + b"\x89\x00")
    assert pinged.owes_pong


def test_waits_grow() -> None:
    """Up to the cap, and begin anew once the client was settled."""
    client, chance = StormClient(), random.Random(1)

    waits = [client.wait_s(chance) for _ in range(50)]

    assert waits[0] <= BASE_S
    assert CAP_S / 2 < max(waits) <= CAP_S
    client.handshake("h", 1)
    client.take(ANSWER + answered(Position("e", 1), False) + content("snapshot", 1))
    assert client.wait_s(chance) <= BASE_S


EVENTS = [
    Event(9.0, "settled", 0, 1),
    Event(10.0, "lost", 0, 1),
    Event(10.0, "lost", 1, 1),
    Event(10.1, "attempt", 0, 1),
    Event(10.1, "lost", 0, 1),
    Event(10.2, "attempt", 1, 2),
    Event(10.3, "settled", 1, 2),
    Event(10.6, "attempt", 0, 1),
    Event(10.7, "settled", 0, 1),
]


def test_the_figures() -> None:
    """Are of what came after the kill."""
    storm = storm_of(EVENTS, 10.0, [1, 2])

    assert (storm["cut_off"], storm["settled_again"], storm["settled_after_s"]) == (2, 2, 0.7)
    assert storm["attempts_on_the_dead_one"] == 1
    assert (storm["settled_on_the_restarted"], storm["settled_on_the_other"]) == (1, 1)
    assert storm["attempts_per_bucket"] == [2, 0, 1, 0]
    assert storm["settled_per_bucket"] == [0, 1, 1, 0]


@pytest.mark.parametrize(("unsettled", "verdict"), [(0, "met"), (1, "MISSED")])
def test_what_is_told(unsettled: int, verdict: str) -> None:
    """Says whether the aim is met, and the picture is one."""
    result = {
        **storm_of(EVENTS, 10.0, [1, 2]),
        "clients": 2,
        "unsettled": unsettled,
        "recovered": 2,
        "refused": 0,
        "gaps": 0,
        "behind_at_the_end": 0,
        "date": "today",
        "machine": {"cores": 2},
        "restarted_after_s": 1.0,
    }

    table = table_of(result)

    assert verdict in table
    assert "2 of 2 clients were cut off; all were settled again after 0.7 s" in table
    assert ElementTree.fromstring(picture_of(result)).tag.endswith("svg")
