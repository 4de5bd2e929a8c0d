"""Closing connections gradually before the process ends, so that what takes over is not run over."""

import asyncio
import random

import structlog
from reportcast.contracts.close_codes import CloseCode

from gateway.feed import Feeds
from gateway.hub import SLICE_WRITES
from gateway.membership import part
from gateway.retry import retry_reason
from gateway.upkeep import CLOSING_S

log = structlog.get_logger("drain")

STEP_S = 0.02


async def drain(feeds: Feeds) -> None:
    """Ask every client to come back elsewhere, evenly spread over GATEWAY_DRAIN_S, and wait until they have gone."""
    clock, drain_s = feeds.first.clock, feeds.first.settings.gateway_drain_s
    feeds.is_draining = True
    feeds.first.health.fail("draining", "the gateway is about to end")
    staying = feeds.connections
    if staying:
        log.info("draining", connections=len(staying), drain_s=drain_s)
    random.shuffle(staying)
    began_s, share_s = clock(), drain_s / max(1, len(staying))
    for number, (feed, connection) in enumerate(staying):
        # Each within its own share of the time: in no rhythm, but never many at once.
        wait_s = began_s + (number + random.random()) * share_s - clock()  # noqa: S311 - no secret
        if wait_s > STEP_S or number % SLICE_WRITES == 0:
            await asyncio.sleep(max(0.0, wait_s))
        part(feed, connection, CloseCode.SERVICE_RESTART, retry_reason())
    for _ in range(int(CLOSING_S / STEP_S)):
        if not any(feed.hub.closing for feed in feeds):
            break
        await asyncio.sleep(STEP_S)
    log.info("drained", unanswered=sum(len(feed.hub.closing) for feed in feeds))
