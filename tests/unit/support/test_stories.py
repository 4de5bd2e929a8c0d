"""The stories of what becomes of frames, which clients in every language are tested on."""

import contextlib
import dataclasses
import json
import random
from pathlib import Path
from typing import Any, cast

import pytest
from websockets.asyncio.client import ClientConnection

from tests.support.follower import Follower
from tests.support.running import CHANNEL
from tests.support.wire import frame_of

STORIES = json.loads((Path(__file__).parents[2] / "golden" / "stories.json").read_text())


@dataclasses.dataclass
class Wishes:
    """The sending half of a connection: what the client asks."""

    sent: list[str] = dataclasses.field(default_factory=list)

    async def send(self, text: str) -> None:
        self.sent.append(text)


def readable(frames: list[str]) -> list[str]:
    """Give those that are for this client: JSON, of no other channel, of a type that it knows."""
    found = []
    for text in frames:
        with contextlib.suppress(json.JSONDecodeError):
            fields = json.loads(text)
            if fields.get("channel") == CHANNEL or fields["type"] == "hello":
                found.append(text)
    return found


@pytest.mark.parametrize("story", STORIES, ids=[story["name"] for story in STORIES])
async def test_a_story(story: dict[str, Any]) -> None:
    """It ends where it has to, with that report, after asking as often as it has to."""
    client, wishes = Follower(["nowhere"], 0, random.Random(1)), Wishes()
    for text in readable(story["frames"]):
        frame = frame_of(text)
        if frame.type == "hello":
            client._asked, client._is_asking = client.position, True
        await client._take(frame, cast("ClientConnection", wishes))

    ends = story["ends"]
    assert client.held is not None
    assert (client.held.position.epoch, client.held.position.offset) == (ends["epoch"], ends["offset"])
    assert client.held.body == ends["body"].encode()
    assert len(wishes.sent) == story["resyncs"]
