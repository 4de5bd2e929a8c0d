"""The Redis that has the data dies, and a replica takes over."""

import asyncio
import contextlib

from tests.faults.case import Size, running
from tests.faults.system import Plan
from tests.faults.table import Row
from tests.support.redis_groups import Group, redis_cluster, redis_sentinels

KEY = "reportcast:{audit}:state"


async def fail_over(group: Group, size: Size, row: Row) -> None:
    """Kill the master of the report amid its changes."""
    async with running(size, row, Plan(url=group.url)) as case:
        before = case.fleet.epochs
        master = await asyncio.to_thread(group.master_of, KEY)
        master.kill()

        async def is_taken_over() -> bool:
            with contextlib.suppress(LookupError):
                return await asyncio.to_thread(group.master_of, KEY) is not master
            return False

        await case.recovered("a replica is master", is_taken_over)
    assert case.fleet.epochs.isdisjoint(before)


async def test_sentinel_failover(size: Size, row: Row) -> None:
    """Master killed, three Sentinels watching: a replica is master."""
    with redis_sentinels() as group:
        await fail_over(group, size, row)


async def test_cluster_failover(size: Size, row: Row) -> None:
    """Master of a cluster's slot killed: its replica is master."""
    with redis_cluster() as group:
        await fail_over(group, size, row)
