"""Keeps one channel followed, whatever happens to gateways, networks and transports."""

import asyncio
import itertools
import random
from collections.abc import Mapping
from typing import Protocol

from reportcast_client.backoff import Backoff
from reportcast_client.errors import Corrupt, FeedError, Interruption, NotServed, Silent, WishRefused
from reportcast_client.events import Transport
from reportcast_client.frames import Drain, Frame, Hello, Refusal, Snapshot, frame_of
from reportcast_client.ladder import Ladder
from reportcast_client.options import Options
from reportcast_client.reducer import Outcome, State, Step, reduce
from reportcast_client.transport import Link, Open
from reportcast_client.websocket import open_websocket

OPEN: Mapping[Transport, Open] = {Transport.WEBSOCKET: open_websocket}


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
        self._backoff = Backoff(chance, timing.base_s, timing.cap_s, timing.stable_s)
        self._ladder = Ladder(options.transports, chance, timing.climb_s)
        self._is_open = False
        self._heartbeat_s: float | None = None
        self._retry_after_s: float | None = None

    @property
    def state(self) -> State:
        """What is known."""
        return self._state

    async def run(self) -> FeedError:
        """Follow until to come back would end the same way; give why."""
        clock = asyncio.get_running_loop().time
        for url in self._urls:
            transport = self._ladder.transport
            try:
                why = await self._stay(transport, url)
            except FeedError as exc:
                return exc
            if final := self._judge(why):
                return final
            told_s = self._retry_after_s if self._retry_after_s is not None else why.retry_after_s
            is_exact = why.is_exact or self._retry_after_s is not None
            wait_s = self._backoff.wait_s(clock(), told_s, is_exact)
            self._observer.interrupted(transport, url, why, wait_s)
            await asyncio.sleep(wait_s)
        raise AssertionError("a cycle has no end")

    def _judge(self, why: Interruption) -> FeedError | None:
        """Give what ends the feed, if this does."""
        if why.final and not why.is_of_transport:
            return why.final
        if self._is_open and not isinstance(why, Corrupt):
            return None
        return why.final if self._ladder.failed(why) else None

    async def _stay(self, transport: Transport, url: str) -> Interruption:
        """Follow by one connection; give why it ended."""
        self._is_open = False
        self._heartbeat_s = self._retry_after_s = None
        loop = asyncio.get_running_loop()
        patience_s = self._options.timing.open_s
        try:
            async with asyncio.timeout(patience_s) as watchdog:
                async with OPEN[transport](url, self._options, lambda: self._state.resume_from) as link:
                    while True:
                        text = await link.receive()
                        if not self._is_open:
                            self._open(transport, url)
                        if frame := frame_of(text):
                            self._heed(frame)
                            await self._take(frame, text, link)
                        patience_s = link.patience_s(self._heartbeat_s)
                        watchdog.reschedule(loop.time() + patience_s)
        except TimeoutError:
            return Silent(patience_s)
        except Interruption as exc:
            return exc

    def _open(self, transport: Transport, url: str) -> None:
        self._is_open = True
        self._ladder.opened()
        self._backoff.opened(asyncio.get_running_loop().time())
        self._observer.opened(transport, url)

    def _heed(self, frame: Frame) -> None:
        """Take note of what is said of the connection, and of what cannot be."""
        match frame:
            case Hello(heartbeat_s=heartbeat_s):
                self._heartbeat_s = heartbeat_s
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
