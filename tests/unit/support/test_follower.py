"""The fault suite's client keeps the rules, whatever a gateway tells it."""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Sequence

from reportcast.contracts.position import Position
from reportcast.contracts.v1_frames import SUBPROTOCOL
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from tests.support.follower import Follower
from tests.support.journal import Adopted, Delta, Following, Opened, Skipped
from tests.support.wait import await_until
from tests.support.wire import digest_of

BODIES = [b'{"change":%d,"repos":[]}' % number for number in range(4)]


def snapshot(offset: int) -> str:
    body = BODIES[offset]
    head = {"type": "snapshot", "channel": "audit", "epoch": "e", "offset": offset, "digest": digest_of(body)}
    return json.dumps(head)[:-1] + ',"data":' + body.decode() + "}"


def delta(offset: int, base: int | None = None, change: int | None = None) -> str:
    before, after = BODIES[offset - 1 if base is None else base], BODIES[offset]
    patch = {"change": offset if change is None else change}
    return json.dumps(
        {
            "type": "delta",
            "channel": "audit",
            "epoch": "e",
            "offset": offset,
            "base": digest_of(before),
            "digest": digest_of(after),
            "changes": {"format": "merge-patch", "patch": patch},
        }
    )


def following(offset: int, recovered: bool = False) -> str:
    return json.dumps({"type": "following", "channel": "audit", "epoch": "e", "offset": offset, "recovered": recovered})


class Gateway:
    """
    Says what it is told to, one script for each connection.

    Attributes:
        asked: The path of each connection, and what was sent on it.
    """

    def __init__(self, scripts: Sequence[Sequence[str]]) -> None:
        self.asked: list[str] = []
        self._scripts = iter(scripts)

    async def serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        self.asked.append(connection.request.path)
        script = next(self._scripts, None)
        if script is None:
            await connection.wait_closed()
            return
        for frame in script:
            if frame == "ask":
                self.asked.append(str(await connection.recv()))
            else:
                await connection.send(frame)


@contextlib.asynccontextmanager
async def following_of(*scripts: Sequence[str]) -> AsyncIterator[tuple[Gateway, Follower]]:
    """Have a client follow a gateway that says all of this."""
    gateway = Gateway(scripts)
    async with serve(gateway.serve, "127.0.0.1", 0, subprotocols=[Subprotocol(SUBPROTOCOL)]) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        follower = Follower([f"127.0.0.1:{port}"], 0, random.Random(1))
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(follower.run())
            yield gateway, follower
            running.cancel()


async def test_deltas_are_applied_and_proved() -> None:
    """The next one makes the report that it promises; one that came before is passed over."""
    async with following_of([following(1), snapshot(1), delta(2), delta(2), delta(3)]) as (gateway, follower):
        await await_until("it has all", lambda: follower.change == 3)

        assert follower.held is not None
        assert follower.held.body == BODIES[3]
        found = [event.found for event in follower.journal if isinstance(event, Delta)]
        assert found == [digest_of(BODIES[2]), None, digest_of(BODIES[3])]
        assert gateway.asked[0] == "/ws?channel=audit"


async def test_a_gap_is_asked_about() -> None:
    """Nothing is applied across it; the client follows again from where it stands, once."""
    frames = [following(1), snapshot(1), delta(3), delta(3), "ask", following(3, True), delta(2), delta(3)]
    async with following_of(frames) as (gateway, follower):
        await await_until("it has all", lambda: follower.change == 3)

        assert json.loads(gateway.asked[1]) == {"type": "follow", "channel": "audit", "epoch": "e", "offset": 1}
        found = [event.found is not None for event in follower.journal if isinstance(event, Delta)]
        assert found == [False, False, True, True]
        assert follower.journal[5] == Following(Position("e", 1), Position("e", 3), True)


async def test_what_does_not_fit_is_not_held() -> None:
    """A delta of another base is a gap; one that makes another report is noted, not held, and asked about."""
    frames = [following(1), snapshot(1), delta(2, base=3), "ask", following(2, True), delta(2, change=9), "ask"]
    async with following_of(frames) as (gateway, follower):
        await await_until("it has asked twice", lambda: len(gateway.asked) >= 3)

        assert follower.held is not None
        assert follower.held.body == BODIES[1]
        wrong = [event for event in follower.journal if isinstance(event, Delta)][-1]
        assert wrong.found not in (None, wrong.digest)


async def test_it_comes_back_with_its_position() -> None:
    """After a connection that ended, and not before the time that it was told."""
    drain = json.dumps({"type": "drain", "retry_after_ms": 1})
    skipped = json.dumps({"type": "skipped", "channel": "audit", "from": 1, "to": 3, "merged": 2})
    frames = [following(1), snapshot(1), drain], [following(1, True), skipped, snapshot(3)]
    async with following_of(*frames) as (gateway, follower):
        await await_until("it has all", lambda: follower.change == 3)

        assert gateway.asked[1] == "/ws?channel=audit&epoch=e&offset=1"
        assert [type(event) for event in follower.journal][:7] == [
            Opened,
            Following,
            Adopted,
            Opened,
            Following,
            Skipped,
            Adopted,
        ]
