"""The way to Redis is a black hole, or loses packets."""

import asyncio

import pytest

from tests.faults.case import Case, Size, running
from tests.faults.link import linked
from tests.faults.network import black_hole, own_network, packet_loss
from tests.faults.system import Plan
from tests.faults.table import Row
from tests.support.ports import free_port

LOSS = 10


async def outage(case: Case) -> None:
    """Wait as long as an outage lasts, and see that it is noticed."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(case.noticed())
        await asyncio.sleep(case.size.outage_s)


async def test_link_stops_forwarding(size: Size, row: Row) -> None:
    """Link to Redis a black hole, its connections open (a proxy): it forwards again."""
    port, target = free_port(), free_port()
    async with linked(port, target) as link, running(size, row, Plan(redis_port=target, link_port=port)) as case:
        link.break_off()
        await outage(case)
        link.mend()
        await case.recovered("Redis answers", case.system.redis.is_ready)


@pytest.mark.mounts
async def test_packets_vanish(size: Size, row: Row) -> None:
    """Link to Redis a black hole for every packet (nftables): packets arrive again."""
    with own_network():
        async with running(size, row, Plan()) as case:
            with black_hole(case.system.redis.port):
                await outage(case)
            await case.recovered("Redis answers", case.system.redis.is_ready)


@pytest.mark.mounts
async def test_packets_are_lost(size: Size, row: Row) -> None:
    """One packet in ten to and from Redis lost: none is any more."""
    with own_network():
        async with running(size, row, Plan()) as case:
            with packet_loss(case.system.redis.port, LOSS) as row.note:
                await asyncio.sleep(size.changes * size.pace_s)
            await case.recovered("Redis answers", case.system.redis.is_ready)
