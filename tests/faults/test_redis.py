"""Redis ends, hangs, forgets, is full, or cuts a gateway off."""

import asyncio
import dataclasses

import pytest
from redis.exceptions import OutOfMemoryError

from tests.faults.case import Case, Size, running
from tests.faults.network import own_network, small_buffers
from tests.faults.system import Plan
from tests.faults.table import Row
from tests.support.wait import await_until

DOWN_S = 0.5
# What it says when it ends a connection because it would have to keep too much for it.
CUT_OFF = "overcoming of output buffer limits"
KEEPS_NOTHING = ("--appendonly", "no")


@dataclasses.dataclass(frozen=True)
class Before:
    """
    How it was when Redis was killed.

    Attributes:
        offset: Of the newest change in it, at least.
        epochs: That clients were in.
    """

    offset: int
    epochs: set[str]


async def down(case: Case) -> Before:
    """Kill Redis, and leave it so for a while."""
    before = Before(await case.system.redis.offset(), case.fleet.epochs)
    assert before.offset > 0
    case.system.redis.kill()
    await asyncio.sleep(DOWN_S)
    return before


async def up(case: Case) -> None:
    """Start Redis again, and see all clients recover."""
    case.system.redis.start()
    await case.recovered("Redis answers", case.system.redis.is_ready)


async def test_redis_killed(size: Size, row: Row) -> None:
    """Redis killed, restarted with its data: it answers again."""
    async with running(size, row, Plan()) as case:
        before = await down(case)
        assert await case.system.redis.offset_on_disk() >= before.offset
        await up(case)
    assert case.fleet.epochs.isdisjoint(before.epochs)


async def test_redis_forgets(size: Size, row: Row) -> None:
    """Redis killed, restarted empty: it answers again."""
    async with running(size, row, Plan(redis=KEEPS_NOTHING)) as case:
        before = await down(case)
        assert await case.system.redis.offset_on_disk() == 0
        await up(case)
    assert case.fleet.epochs.isdisjoint(before.epochs)


async def test_redis_goes_back(size: Size, row: Row) -> None:
    """Redis killed, restarted with older data: it answers again."""
    async with running(size, row, Plan(redis=KEEPS_NOTHING)) as case:
        await case.system.redis.save()
        await asyncio.sleep(5 * size.pace_s)
        before = await down(case)
        assert 0 < await case.system.redis.offset_on_disk() < before.offset
        await up(case)
    assert case.fleet.epochs.isdisjoint(before.epochs)


async def test_redis_frozen(size: Size, row: Row) -> None:
    """Redis frozen, all its connections half-open: it goes on."""
    async with running(size, row, Plan()) as case:
        case.system.redis.freeze()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(case.noticed())
            await asyncio.sleep(size.outage_s)
        case.system.redis.thaw()
        await case.recovered("Redis answers", case.system.redis.is_ready)


@pytest.mark.mounts
async def test_redis_cuts_a_gateway_off(size: Size, row: Row) -> None:
    """Subscriber cut off by Redis, for its output buffer is full: the gateway, which was frozen, goes on."""
    with own_network():
        small_buffers()
        limited = ("--client-output-buffer-limit", "pubsub 48kb 0 0")
        async with running(size, row, Plan(redis=limited), all_of_it=True) as case:
            frozen = case.system.gateways[0]
            frozen.freeze()
            assert CUT_OFF not in case.system.redis.log
            await await_until("Redis cuts it off", lambda: CUT_OFF in case.system.redis.log, timeout_s=30)
            frozen.thaw()
            await case.recovered("the gateway answers", frozen.is_ready)


async def test_redis_is_full(size: Size, row: Row) -> None:
    """Redis at maxmemory, refusing every write: it takes writes again."""
    async with running(size, row, Plan()) as case:
        await case.system.redis.command("CONFIG", "SET", "maxmemory", "1mb")
        await await_until("a write is refused", lambda: refuses(case))
        offset, change = await case.system.redis.offset(), case.reports.change
        await asyncio.sleep(size.outage_s / 2)
        assert case.reports.change > change
        assert await case.system.redis.offset() == offset
        await case.system.redis.command("CONFIG", "SET", "maxmemory", "0")

        async def takes() -> bool:
            return not await refuses(case)

        await case.recovered("Redis takes writes", takes)


async def refuses(case: Case) -> bool:
    """Tell whether Redis has no room for anything more."""
    try:
        await case.system.redis.command("SET", "faults", "1", "PX", "1")
    except OutOfMemoryError:
        return True
    return False
