"""What counts as a canary that came back."""

import datetime
import hashlib
import json
from typing import Any

import pytest
from gateway.echo import Echo, EchoError
from reportcast.contracts.canary import write_canary
from reportcast.contracts.channels import CANARY
from reportcast.contracts.delta import diff
from reportcast.contracts.position import Position
from reportcast.contracts.report import ReportKind
from reportcast.contracts.v1_frames import ErrorCode, error_frame, following, pong_frame

EPOCH = "1b65fea20ca22296"
WRITTEN = datetime.datetime(2026, 11, 28, 12, tzinfo=datetime.UTC)


def body(number: int) -> bytes:
    return write_canary("a", number, WRITTEN)


def digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def snapshot(number: int, **fields: Any) -> str:
    """Give the frame of a whole canary."""
    stamps = {"type": "snapshot", "epoch": EPOCH, "offset": number, "digest": digest(body(number)), **fields}
    return json.dumps(stamps)[:-1] + f',"data":{body(number).decode()}}}'


def delta(number: int, **fields: Any) -> str:
    """Give the frame of what makes a canary of the one before."""
    changes = diff(body(number - 1), body(number), ReportKind.GENERIC)
    assert changes
    digests = {"base": digest(body(number - 1)), "digest": digest(body(number))}
    stamps = {"type": "delta", "epoch": EPOCH, "offset": number, **digests, **fields}
    return json.dumps(stamps)[:-1] + f',"changes":{changes.decode()}}}'


def test_what_comes_back() -> None:
    """Is told with its place; the first may have been there for long."""
    echo = Echo()

    returned = [echo.take(frame) for frame in (snapshot(1), delta(2), delta(3), snapshot(9))]

    assert all(returned)
    assert [each and (each.position, each.canary.number, each.is_live) for each in returned] == [
        (Position(EPOCH, 1), 1, False),
        (Position(EPOCH, 2), 2, True),
        (Position(EPOCH, 3), 3, True),
        (Position(EPOCH, 9), 9, True),
    ]


def test_other_frames() -> None:
    """Are no canaries; one says that they will come."""
    echo = Echo()

    assert echo.take(pong_frame("2026-11-28T12:00:00.000Z").text) is None
    assert not echo.is_following
    assert echo.take(following(CANARY, None, False).text) is None
    assert echo.is_following


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        pytest.param("[]", "no frame of reportcast.v1", id="no-frame"),
        pytest.param(b"\xff", "no frame of reportcast.v1", id="no-text"),
        pytest.param(error_frame(ErrorCode.UNKNOWN_CHANNEL, "why").text, "the gateway refused: why", id="error"),
        pytest.param(snapshot(2, digest=digest(b"")), "not the canary that was published", id="another-digest"),
        pytest.param('{"type":"snapshot","epoch":"e","offset":2,"data":{}}', "not the canary", id="no-canary"),
        pytest.param('{"type":"snapshot","data":{}}', "a snapshot came without a position", id="no-position"),
        pytest.param(delta(3), "out of turn, at offset 3", id="gap"),
        pytest.param(delta(2, base=digest(b"")), "starts from another canary", id="another-base"),
        pytest.param(delta(2).replace("merge-patch", "patch"), "does not fit", id="no-delta"),
        pytest.param(delta(2, digest=digest(b"")), "not the canary that was published", id="other-change"),
    ],
)
def test_what_does_not_come_back(frame: str | bytes, words: str) -> None:
    """Is an error that says what it was."""
    echo = Echo()
    echo.take(snapshot(1))

    with pytest.raises(EchoError, match=words):
        echo.take(frame)


def test_a_change_that_comes_first() -> None:
    """Follows on nothing."""
    with pytest.raises(EchoError, match="out of turn"):
        Echo().take(delta(2))
