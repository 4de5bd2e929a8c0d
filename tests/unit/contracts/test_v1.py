"""The frames of version 1, to the letter, and what is read of the wishes of clients."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from reportcast.contracts import v1_frames as frames
from reportcast.contracts.body import PreparedBody
from reportcast.contracts.frames import PreparedFrame
from reportcast.contracts.messages import Delta, Finding, Snapshot
from reportcast.contracts.position import Position
from reportcast.contracts.v1_frames import ErrorCode
from reportcast.contracts.v1_requests import Again, Follow, Ping, Unfollow, V1Error, follows_of, parse_v1
from reportcast.contracts.view import Filter

GOLDEN = Path(__file__).parents[2] / "golden" / "frames.json"
FROM_CLIENTS = {"follow": Follow, "unfollow": Unfollow, "request-update": Again, "ping": Ping}
EPOCH = "1b65fea20ca22296"


def golden() -> list[Any]:
    """Give the frames that clients are tested on."""
    return [pytest.param(each["type"], each["frame"], id=each["name"]) for each in json.loads(GOLDEN.read_text())]


def text_of(frame: str, name: str) -> bytes:
    """Give the exact text of a frame's last member."""
    return frame.encode().partition(b'"%s":' % name.encode())[2].removesuffix(b"}")


def stamped(kind: type[Snapshot] | type[Delta], fields: dict[str, Any], body: bytes) -> Any:
    """Give a message with a frame's stamps."""
    known = {name: value for name, value in fields.items() if name in kind.__struct_fields__}
    return msgspec.structs.replace(msgspec.convert({"base": "", **known}, kind, strict=False), body=body)


REBUILD: dict[str, Callable[[dict[str, Any], str], PreparedFrame]] = {
    "hello": lambda f, _: frames.hello(f["channels"], f["heartbeat_s"], f["limits"], f["timestamp"], f["paint_sample"]),
    "following": lambda f, _: frames.following(
        f["channel"], Position(f["epoch"], f["offset"]) if f["epoch"] else None, f["recovered"], f.get("reason")
    ),
    "snapshot": lambda f, text: frames.snapshot_frame(
        f["channel"],
        stamped(Snapshot, f, b""),
        PreparedBody(text_of(text, "data")),
        f["digest"],
        f.get("hops_ms"),
    ),
    "delta": lambda f, text: frames.delta_frame(
        f["channel"],
        stamped(Delta, f, b"{}"),
        PreparedBody(text_of(text, "changes")),
        f["base"],
        f["digest"],
        f.get("hops_ms"),
    ),
    "status": lambda f, _: frames.status_frame(
        f["channel"], {key: f[key] for key in ("stale", "broker", "source", "reasons", "tag")}, f["timestamp"]
    ),
    "skipped": lambda f, _: frames.skipped_frame(f["channel"], f["from"], f["to"], f["merged"]),
    "heartbeat": lambda f, _: frames.HEARTBEAT,
    "drain": lambda f, _: frames.drain_frame(f["retry_after_ms"]),
    "error": lambda f, _: frames.error_frame(ErrorCode(f["code"]), f["message"]),
    "pong": lambda f, _: frames.pong_frame(f["timestamp"]),
}


@pytest.mark.parametrize(("kind", "text"), golden())
def test_golden_frames(kind: str, text: str) -> None:
    """What clients are tested on is what the gateway sends, and what it understands."""
    if kind in FROM_CLIENTS:
        request = parse_v1(text)
        assert isinstance(request, FROM_CLIENTS[kind])
        assert not isinstance(request, Follow) or request.error is None
    else:
        assert REBUILD[kind](json.loads(text), text).payload == text.encode()


def test_every_frame_has_an_example() -> None:
    """And every error."""
    found = json.loads(GOLDEN.read_text())

    assert {each["type"] for each in found} == REBUILD.keys() | FROM_CLIENTS.keys()
    codes = {json.loads(each["frame"])["code"] for each in found if each["type"] == "error"}
    assert codes == {code.value for code in ErrorCode}


def test_findings_are_told() -> None:
    """With their place."""
    snapshot = stamped(
        Snapshot,
        {"epoch": EPOCH, "offset": 1, "name": "n", "digest": "d", "published_at": "2026-11-23T12:00:00Z"}
        | {"modified_at": "2026-11-23T12:00:00Z"},
        b"",
    )
    odd = msgspec.structs.replace(snapshot, findings=(Finding("duplicate_key", "twice", 4, 7),))

    frame = json.loads(frames.snapshot_frame("audit", odd, PreparedBody(b"[]"), "d").payload)

    assert frame["findings"] == [{"kind": "duplicate_key", "message": "twice", "line": 4, "column": 7}]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ([], [Follow(None)]),
        ([("channel", "dns")], [Follow("dns")]),
        (
            [("channel", "a"), ("epoch", EPOCH), ("offset", "4"), ("channel", "b"), ("epoch", EPOCH), ("offset", "7")],
            [Follow("a", Position(EPOCH, 4)), Follow("b", Position(EPOCH, 7))],
        ),
        ([("epoch", EPOCH), ("offset", "0")], [Follow(None, Position(EPOCH, 0))]),
        (
            [("channel", "a"), ("channel", "b"), ("epoch", EPOCH), ("offset", "7")],
            [Follow("a"), Follow("b", Position(EPOCH, 7))],
        ),
        ([("offset", "7"), ("epoch", EPOCH), ("channel", "a")], [Follow("a", Position(EPOCH, 7))]),
        (
            [("status", "dirty,missing"), ("name", "a"), ("name", "b,")],
            [Follow(None, None, Filter(frozenset({"dirty", "missing"}), frozenset({"a", "b"})))],
        ),
        ([("name", "a***b")], [Follow(None, None, Filter(frozenset(), frozenset({"a*b"})))]),
        ([("status", ""), ("name", ","), ("utm", "x")], [Follow(None)]),
    ],
)
def test_what_an_address_says(query: list[tuple[str, str]], expected: list[Follow]) -> None:
    """Channels, each with its position, and one filter for all."""
    assert follows_of(query) == expected


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"epoch": EPOCH}, ErrorCode.BAD_POSITION),
        ({"offset": 1}, ErrorCode.BAD_POSITION),
        ({"epoch": EPOCH.upper(), "offset": 1}, ErrorCode.BAD_POSITION),
        ({"epoch": EPOCH, "offset": -1}, ErrorCode.BAD_POSITION),
        ({"epoch": EPOCH, "offset": 1.5}, ErrorCode.BAD_POSITION),
        ({"epoch": EPOCH, "offset": True}, ErrorCode.BAD_POSITION),
        ({"epoch": EPOCH, "offset": "1" * 16}, ErrorCode.BAD_POSITION),
        ({"epoch": EPOCH, "offset": "٣"}, ErrorCode.BAD_POSITION),
        ({"statuses": "dirty"}, ErrorCode.BAD_FILTER),
        ({"names": [1]}, ErrorCode.BAD_FILTER),
        ({"names": [""]}, ErrorCode.BAD_FILTER),
        ({"names": ["x"] * 33}, ErrorCode.BAD_FILTER),
        ({"names": ["*a*b*c*d*"]}, ErrorCode.BAD_FILTER),
    ],
)
def test_a_wish_that_is_wrong_in_part(wish: dict[str, Any], code: ErrorCode) -> None:
    """Its rest is met."""
    request = parse_v1(json.dumps({"type": "follow", "channel": "audit", **wish}))

    assert isinstance(request, Follow)
    assert request.error is not None
    assert (request.channel, request.position, request.error.code) == ("audit", None, code)


@pytest.mark.parametrize(
    "text", ["", "[]", "1", "{}", '{"type":1}', '{"type":"ping"', "[" * 100_000, b"\xff", "\ud800"]
)
def test_what_is_no_message(text: str | bytes) -> None:
    """Whatever it is."""
    with pytest.raises(V1Error) as caught:
        parse_v1(text)
    assert caught.value.code is ErrorCode.BAD_MESSAGE


def test_a_channel_that_is_no_name() -> None:
    """It is told so."""
    with pytest.raises(V1Error, match="channel is a string"):
        parse_v1('{"type":"follow","channel":["audit"]}')


def test_an_unknown_type() -> None:
    """Those that there are are told."""
    with pytest.raises(V1Error, match="follow, unfollow, request-update and ping"):
        parse_v1('{"type":"dance"}')
