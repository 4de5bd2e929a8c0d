"""
What connections need from time to time, for all of them together: no timer stands for a single one.

Who answers no ping is dropped, who does not read is dropped, who does not answer a close is dropped, and who has been
there for long may be asked to come again.
"""

import asyncio
from typing import NamedTuple

from reportcast.contracts.close_codes import CloseCode

from gateway.event_stream import HEARTBEAT_S
from gateway.feed import Feeds
from gateway.hub import Flow, slices
from gateway.roster import Connection

TICK_S = 1.0
# One that reads, but needs so many times GATEWAY_STUCK_S for what it was given, is too slow all the same: what it holds
# of old reports is memory.
PATIENCE = 10
# A client gets so long to answer a close.
CLOSING_S = 5.0
SILENT_PINGS = 2
# Each gets so long to be answered: a client that is gone is dropped two intervals and this after its last word.
PONG_S = 5.0
# Lifetimes end within this part before their full length, so that not all end as they began: together.
LIFETIME_JITTER = 0.2
# Multiples of it are spread evenly over the unit interval, without anything to remember for each connection.
GOLDEN = 0.618033988749895


class _Unsent(NamedTuple):
    given: int
    bytes: int
    since_s: float
    began_s: float


class Upkeep:
    """Looks after the connections of all feeds."""

    def __init__(self, feeds: Feeds) -> None:
        settings = feeds.first.settings
        self._feeds = feeds
        self._roster = feeds.roster
        self._clock = feeds.roster.clock
        self._ping_interval_s = settings.gateway_ping_interval_s
        self._heartbeat_s = min(HEARTBEAT_S, settings.gateway_ping_interval_s)
        self._stuck_s = settings.gateway_stuck_s
        self._lifetime_s = settings.gateway_max_lifetime_s
        # By id, how much a paused connection was given, how much of it is unsent, and since when that is so; and since
        # when a close is unanswered.
        self._unsent: dict[int, _Unsent] = {}
        self._asked: dict[int, float] = {}

    async def run(self) -> None:
        """Go on for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._ping_for_ever())
            tasks.create_task(self._beat_for_ever())
            tasks.create_task(self._look_for_ever())

    async def _ping_for_ever(self) -> None:
        pong_s = min(PONG_S, self._ping_interval_s / 2)
        while True:
            await asyncio.sleep(self._ping_interval_s - pong_s)
            for few in slices(self._roster.connections):
                for connection in few:
                    if connection.flow is Flow.OPEN:  # one that is paused would not get it
                        connection.ping()
                await asyncio.sleep(0)
            await asyncio.sleep(pong_s)
            for few in slices(self._roster.connections):
                for connection in few:
                    self._drop_silent(connection)
                await asyncio.sleep(0)

    async def _beat_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat_s)
            for few in slices(self._roster.connections):
                for connection in few:
                    connection.beat()
                await asyncio.sleep(0)

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            await self._end_waits()
            self._expire()
            self._drop_stuck()
            self._drop_unanswered()
            for feed in self._feeds:
                feed.audiences.drop_idle()
                feed.tell_status()

    async def _end_waits(self) -> None:
        for few in slices(self._roster.waiting):
            now_s = self._clock()
            for waiter in few:
                if waiter.until_s <= now_s:
                    waiter.expire()
            await asyncio.sleep(0)

    def _drop_stuck(self) -> None:
        now_s, before, self._unsent = self._clock(), self._unsent, {}
        for connection in self._roster.paused:
            unsent, given = connection.unsent_bytes, connection.session.given(connection)
            last = before.get(connection.peer.id)
            if last is None or last.given != given:
                last = _Unsent(given, unsent, now_s, now_s)
            since_s = last.since_s if last.bytes == unsent else now_s  # it reads, slowly as it may be
            if now_s - since_s >= self._stuck_s:
                self._roster.part(connection, CloseCode.TOO_SLOW, f"nothing was read for {self._stuck_s:g} s")
            elif now_s - last.began_s >= PATIENCE * self._stuck_s:
                reason = f"too little was read in {PATIENCE * self._stuck_s:g} s"
                self._roster.part(connection, CloseCode.TOO_SLOW, reason)
            else:
                self._unsent[connection.peer.id] = _Unsent(given, unsent, since_s, last.began_s)

    def _drop_unanswered(self) -> None:
        now_s, before, self._asked = self._clock(), self._asked, {}
        for connection in self._roster.closing:
            since_s = self._asked[connection.peer.id] = before.get(connection.peer.id, now_s)
            # Who answers no ping will not answer this.
            if now_s - since_s >= CLOSING_S or connection.close_code == CloseCode.PING_TIMEOUT:
                connection.abort()

    def _expire(self) -> None:
        if not self._lifetime_s:
            return
        now_s = self._clock()
        for connection in list(self._roster.connections):  # oldest first
            age_s = now_s - connection.peer.opened_s
            if age_s < self._lifetime_s * (1 - LIFETIME_JITTER):
                return
            if age_s >= self._lifetime_s * (1 - LIFETIME_JITTER * (connection.peer.id * GOLDEN % 1)):
                self._roster.retire(connection)

    def _drop_silent(self, connection: Connection) -> None:
        if connection.silent_pings >= SILENT_PINGS:
            self._roster.part(connection, CloseCode.PING_TIMEOUT, f"{SILENT_PINGS} pings were not answered")
