"""What cannot be met or answered of what a client of ``reportcast.v1`` asks."""

import json

import pytest

from tests.support.running import RunningGateway
from tests.support.v1 import take, where


@pytest.mark.parametrize(
    ("query", "code", "says"),
    [
        ("epoch=x&offset=1", "bad_position", "16 hexadecimal digits"),
        ("epoch={epoch}", "bad_position", "and an offset"),
        ("epoch={epoch}&offset=-1", "bad_position", "and an offset"),
        ("channel=nope", "unknown_channel", "served are: audit, dns"),
        ("name=" + "x" * 201, "bad_filter", "1 to 200 characters"),
        ("status=" + ",".join(map(str, range(33))), "bad_filter", "1 to 32 of"),
        ("channel=audit&channel=dns&status=dirty", "bad_filter", "only audit reports"),
    ],
)
async def test_a_wish_that_cannot_be_met(gateway: RunningGateway, query: str, code: str, says: str) -> None:
    """Is answered with what was wrong, and the newest of what can be served is given all the same."""
    async with gateway.connect_v1(query.format(epoch=where(gateway).epoch)) as client:
        frames = [json.loads(await client.recv()) for _ in range(4)]
        if "channel=audit" in query:
            frames += [json.loads(await client.recv()) for _ in range(3)]

    (error,) = (frame for frame in frames if frame["type"] == "error")
    assert error["code"] == code
    assert says in error["message"]
    assert any(frame["type"] == "snapshot" and frame["offset"] == 3 for frame in frames)
    assert await gateway.metric("reportcast_gateway_bad_requests_total") == 1


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("[]", "bad_message"),
        ("{", "bad_message"),
        ('{"type":1}', "bad_message"),
        ('{"type":"follow","channel":1}', "bad_message"),
        ('{"type":"dance"}', "unknown_type"),
        ('{"type":"follow","channel":"nope"}', "unknown_channel"),
        ('{"type":"unfollow","channel":"dns"}', "unknown_channel"),
        ('{"type":"request-update","channel":"dns"}', "unknown_channel"),
        ('{"type":"follow","channel":"dns","names":["a"]}', "bad_filter"),
        ('{"type":"follow","channel":"dns","names":"a"}', "bad_filter"),
        ('{"type":"follow","epoch":1,"offset":true}', "bad_position"),
    ],
)
async def test_a_message_that_cannot_be_answered(gateway: RunningGateway, message: str, code: str) -> None:
    """Is told so in one sentence, and the connection stays."""
    async with gateway.connect_v1() as client:
        await take(client, "hello", "following", "snapshot", "status")
        await client.send(message)
        (error,) = await take(client, "error")
        assert error["code"] == code
        await client.send('{"type":"ping"}')
        while json.loads(await client.recv())["type"] != "pong":
            pass
