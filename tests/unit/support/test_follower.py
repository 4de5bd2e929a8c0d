"""The fault suite's client tells all that it is told, whatever that is."""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Sequence

from reportcast.contracts.position import Position

from tests.support.follower import Follower
from tests.support.journal import Adopted, Delta, Following, Opened, Skipped
from tests.support.scripted import ASK, BODIES, HELLO, ScriptedGateway, delta, following, scripted_gateway, snapshot
from tests.support.wait import await_until
from tests.support.wire import digest_of


@contextlib.asynccontextmanager
async def following_of(*scripts: Sequence[str]) -> AsyncIterator[tuple[ScriptedGateway, Follower]]:
    """Have a client follow a gateway that says all of this."""
    async with scripted_gateway(*([HELLO, *script] for script in scripts)) as (gateway, host):
        follower = Follower([host], 0, random.Random(1))
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
    frames = [following(1), snapshot(1), delta(3), delta(3), ASK, following(3, True), delta(2), delta(3)]
    async with following_of(frames) as (gateway, follower):
        await await_until("it has all", lambda: follower.change == 3)

        assert json.loads(gateway.asked[1]) == {"type": "follow", "channel": "audit", "epoch": "e", "offset": 1}
        found = [event.found is not None for event in follower.journal if isinstance(event, Delta)]
        assert found == [False, False, True, True]
        assert follower.journal[5] == Following(Position("e", 1), Position("e", 3), True)


async def test_what_does_not_fit_is_not_held() -> None:
    """A delta of another base, or that makes another report, is noted, not held, and the whole is asked for."""
    frames = [following(1), snapshot(1), delta(2, change=9), ASK, following(1), snapshot(1), delta(2, base=3), ASK]
    async with following_of(frames) as (gateway, follower):
        await await_until("it has asked twice", lambda: len(gateway.asked) >= 3)

        assert follower.held is not None
        assert follower.held.body == BODIES[1]
        wrong, other = (event for event in follower.journal if isinstance(event, Delta))
        assert wrong.found not in (None, wrong.digest)
        assert other.found is None
        assert json.loads(gateway.asked[1]) == json.loads(gateway.asked[2]) == {"type": "follow", "channel": "audit"}


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
