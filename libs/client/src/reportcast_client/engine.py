"""Keeps one channel followed, whatever happens to gateways, networks and transports."""

import asyncio
import contextlib
import dataclasses
import itertools
import random
from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from reportcast_client.backoff import Backoff
from reportcast_client.errors import (
    Blocked,
    ClientError,
    Corrupt,
    FeedError,
    Interruption,
    NotServed,
    Silent,
    WishRefused,
)
from reportcast_client.event_stream import open_event_stream
from reportcast_client.events import Transport
from reportcast_client.frames import Drain, Frame, Heartbeat, Hello, Refusal, Snapshot, frame_of
from reportcast_client.ladder import Ladder
from reportcast_client.options import Options
from reportcast_client.poll import open_poll
from reportcast_client.reducer import Outcome, State, Step, reduce
from reportcast_client.translation import translated
from reportcast_client.transport import Alive, Link, Open
from reportcast_client.websocket import open_websocket

OPEN: Mapping[Transport, Open] = {
    Transport.WEBSOCKET: open_websocket,
    Transport.EVENTS: open_event_stream,
    Transport.POLL: open_poll,
}
# What a gateway says otherwise is no rhythm that a connection can be judged by.
MIN_HEARTBEAT_S, MAX_HEARTBEAT_S = 0.1, 3600.0


class Observer(Protocol):
    """Is told what happens, at once; it must not wait."""

    def opened(self, transport: Transport, url: str) -> None:
        """The gateway said something."""

    def stepped(self, frame: Frame, text: bytes, before: State, step: Step) -> None:
        """A frame came that is known; ``text`` is the frame as it came, ``before`` what was known before it."""

    def interrupted(self, transport: Transport, url: str, why: Interruption, retry_in_s: float) -> None:
        """A connection, or an attempt, ended."""


class Engine:
    """
    Follows one channel.

    Args:
        options: What and how.
        observer: Is told.
        state: What is known already.
        chance: For waits.
    """

    def __init__(self, options: Options, observer: Observer, state: State, chance: random.Random) -> None:
        timing = options.timing
        self._options = options
        self._observer = observer
        self._state = state
        self._urls = itertools.cycle(options.urls)
        self._url = next(self._urls)
        self._backoff = Backoff(chance, timing.base_s, timing.cap_s, timing.stable_s)
        self._ladder = Ladder(options.transports, chance, timing.climb_s)
        # Of the present connection:
        self._is_open = False
        self._heartbeat_s: float | None = None
        self._retry_after_s: float | None = None
        # How long nothing may come.
        self._patience_s = timing.open_s
        # Set while it is one by a worse transport; and what ends it once a better one gets through.
        self._is_below = asyncio.Event()
        self._leaving: asyncio.Timeout | None = None

    @property
    def state(self) -> State:
        """What is known."""
        return self._state

    async def run(self) -> FeedError:
        """Follow until to come back would end the same way; give why."""
        async with asyncio.TaskGroup() as tasks:
            climbing = tasks.create_task(self._climb())
            try:
                while True:
                    transport = self._ladder.transport
                    try:
                        why = await self._stay(transport)
                    except FeedError as exc:
                        return exc
                    if why and (final := self._judge(why)):
                        return final
                    if why:
                        await self._wait(transport, why)
            finally:
                climbing.cancel()

    def _judge(self, why: Interruption) -> FeedError | None:
        """Give what ends the feed, if this does."""
        if why.final and not why.is_of_transport:
            return why.final
        if self._is_open and not isinstance(why, Blocked | Corrupt | Silent):
            return None
        return why.final if self._ladder.failed(why) else None

    async def _wait(self, transport: Transport, why: Interruption) -> None:
        told_s, is_exact = why.retry_after_s, why.is_exact
        if self._retry_after_s is not None:
            told_s, is_exact = self._retry_after_s, True
        wait_s = self._backoff.wait_s(asyncio.get_running_loop().time(), told_s, is_exact)
        self._observer.interrupted(transport, self._url, why, wait_s)
        await asyncio.sleep(wait_s)
        self._url = next(self._urls)

    async def _stay(self, transport: Transport) -> Interruption | None:
        """Follow by one connection; give why it ended, ``None`` if a better transport gets through."""
        self._is_open = False
        self._heartbeat_s = self._retry_after_s = None
        try:
            async with asyncio.timeout(None) as self._leaving:
                return await self._follow(transport)
        except TimeoutError:
            return None
        finally:
            self._leaving = None
            self._is_below.clear()

    async def _follow(self, transport: Transport) -> Interruption:
        self._patience_s = self._options.timing.open_s
        try:
            async with self._watched() as alive, self._link(transport, alive) as link:
                while True:
                    text = await link.receive()
                    if not self._is_open:
                        self._open(transport)
                    if frame := frame_of(text):
                        self._heed(frame)
                        await self._take(frame, text, link)
                    self._patience_s = link.patience_s(self._heartbeat_s)
                    alive()
        except TimeoutError:
            return Silent(self._patience_s)
        except Interruption as exc:
            return exc

    @contextlib.asynccontextmanager
    async def _watched(self) -> AsyncIterator[Alive]:
        """End the block with TimeoutError when patience ends; what is given is to be called at each sign of life."""
        clock = asyncio.get_running_loop().time

        def alive() -> None:
            with contextlib.suppress(RuntimeError):  # it has ended, and this came on the way out
                watchdog.reschedule(clock() + self._patience_s)

        async with asyncio.timeout(self._patience_s) as watchdog:
            yield alive

    @contextlib.asynccontextmanager
    async def _link(self, transport: Transport, alive: Alive) -> AsyncIterator[Link]:
        """Give a connection; whatever goes wrong with it is a ClientError."""
        # Once it is known, each connection asks for it, whatever the next gateway serves first.
        options = dataclasses.replace(self._options, channel=self._state.channel)
        try:
            async with OPEN[transport](self._url, options, lambda: self._state.resume_from, alive) as link:
                yield link
        except ClientError:
            raise
        except Exception as exc:
            raise translated(exc, self._url, options.max_bytes) from exc

    def _open(self, transport: Transport) -> None:
        self._is_open = True
        self._ladder.opened()
        self._backoff.opened(asyncio.get_running_loop().time())
        if self._ladder.better:
            self._is_below.set()
        self._observer.opened(transport, self._url)

    def _heed(self, frame: Frame) -> None:
        """Take note of what is said of the connection, and of what cannot be."""
        match frame:
            case Hello(heartbeat_s=heartbeat_s):
                self._heartbeat_s = min(max(heartbeat_s, MIN_HEARTBEAT_S), MAX_HEARTBEAT_S)
            case Heartbeat():
                self._ladder.proved()
            case Drain(retry_after_ms=retry_after_ms):
                self._retry_after_s = retry_after_ms / 1000
            case Refusal(code="unknown_channel", message=message):
                raise NotServed(message)
            case Refusal(code="bad_filter", message=message):
                raise WishRefused("bad_filter", message)

    async def _take(self, frame: Frame, text: bytes, link: Link) -> None:
        before, step = self._state, reduce(self._state, frame)
        self._state = step.state
        self._observer.stepped(frame, text, before, step)
        if step.outcome is Outcome.ASK:
            await link.follow(step.state.resume_from)
        elif step.outcome is Outcome.CORRUPT and isinstance(frame, Snapshot):
            raise Corrupt(frame.position)

    async def _climb(self) -> None:
        """From time to time, while a worse transport is used, try a better one; change to it if it gets through."""
        while True:
            await self._is_below.wait()
            await asyncio.sleep(self._ladder.climb_in_s())
            if self._is_below.is_set() and not await self._climbed():
                self._ladder.stayed()

    async def _climbed(self) -> bool:
        for transport in self._ladder.better:
            if await self._gets_through(transport) and self._leaving:
                self._ladder.climb(transport)
                self._leaving.reschedule(0.0)
                self._is_below.clear()
                return True
        return False

    async def _gets_through(self, transport: Transport) -> bool:
        try:
            async with asyncio.timeout(self._options.timing.open_s), self._link(transport, _nothing) as link:
                await link.receive()
        except (TimeoutError, ClientError):
            return False
        return True


def _nothing() -> None:
    """Say that who only tries has no more patience for what comes slowly."""
