"""Closing connections gradually before the process ends, so that what takes over is not run over."""

import asyncio
import functools
import random
from collections.abc import Callable

import structlog

from gateway.feed import Feeds
from gateway.hub import SLICE_WRITES
from gateway.upkeep import CLOSING_S

log = structlog.get_logger("drain")

STEP_S = 0.02
# What those are told who waited for an answer: another gateway may have it.
RETRY = (("retry-after", "1"),)


async def drain(feeds: Feeds) -> None:
    """Ask every client to come back elsewhere, evenly spread over GATEWAY_DRAIN_S, and wait until they have gone."""
    clock, drain_s = feeds.roster.clock, feeds.first.settings.gateway_drain_s
    feeds.is_draining = True
    feeds.first.health.fail("draining", "the gateway is about to end")
    roster = feeds.roster
    leaving: list[Callable[[], None]] = [functools.partial(roster.retire, each) for each in roster.connections]
    leaving += [functools.partial(each.give_up, RETRY) for each in roster.waiting]
    if leaving:
        log.info("draining", connections=len(leaving), drain_s=drain_s)
    random.shuffle(leaving)
    began_s, share_s = clock(), drain_s / max(1, len(leaving))
    for number, leave in enumerate(leaving):
        # Each within its own share of the time: in no rhythm, but never many at once.
        wait_s = began_s + (number + random.random()) * share_s - clock()  # noqa: S311 - no secret
        if wait_s > STEP_S or number % SLICE_WRITES == 0:
            await asyncio.sleep(max(0.0, wait_s))
        leave()
    for _ in range(int(CLOSING_S / STEP_S)):
        if not roster.closing:
            break
        await asyncio.sleep(STEP_S)
    log.info("drained", unanswered=len(roster.closing))
