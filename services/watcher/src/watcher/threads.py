"""Calls that may never return, as a system call on a network mount whose server is gone."""

import asyncio
import contextlib
import math
import queue
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

# When no thread has taken a call for so long, there is one more. Before that it is cheaper to wait: threads that run at
# once pass the interpreter to and fro at every system call.
STALL_S = 0.02
# A thread that was not needed for so long ends.
IDLE_S = 10.0


async def in_daemon_thread(function: Callable[[], T]) -> T:
    """
    Give what ``function`` gives or raises, called in a thread that calls nothing else meanwhile.

    Not ``asyncio.to_thread``: its threads have a bound, so that some calls that hang stop all others, and the process
    waits for them when it ends. Here what hangs delays the others by STALL_S, once.
    """
    call = _Call(function, asyncio.get_running_loop())
    _threads.give(call.make)
    try:
        return await call.outcome
    finally:
        call.timer.cancel()


class _Call(Generic[T]):
    """A call, and what comes of it."""

    def __init__(self, function: Callable[[], T], loop: asyncio.AbstractEventLoop) -> None:
        self.outcome: asyncio.Future[T] = loop.create_future()
        self.timer = loop.call_later(STALL_S, self._look_after)
        self._has_begun = False
        self._function = function
        self._loop = loop

    def make(self) -> None:
        self._has_begun = True
        try:
            result = self._function()
        except BaseException as exc:  # goes to who waits: it is raised there
            failure = exc
            self._call_back(lambda: self.outcome.set_exception(failure))
        else:
            self._call_back(lambda: self.outcome.set_result(result))

    def _look_after(self) -> None:
        if not self._has_begun:
            _threads.grow()
            self.timer = self._loop.call_later(STALL_S, self._look_after)

    def _call_back(self, result: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            self._loop.call_soon_threadsafe(self._deliver, result)

    def _deliver(self, result: Callable[[], None]) -> None:
        if not self.outcome.done():  # else nobody waits any more
            result()


class _Threads:
    """The threads that make the calls, one after the other: as few as can be, and as many as have to be."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._counting = threading.Lock()
        self._count = 0
        self._idle = 0
        self._grew_s = -math.inf

    def give(self, call: Callable[[], None]) -> None:
        """Have a call made as soon as a thread is free."""
        self._calls.put(call)
        with self._counting:
            if self._count == 0:
                self._start()

    def grow(self) -> None:
        """Start a thread, if none is free and the last start was not just now."""
        now_s = time.monotonic()
        with self._counting:
            if self._idle == 0 and now_s - self._grew_s >= STALL_S:
                self._grew_s = now_s
                self._start()

    def _start(self) -> None:
        self._count += 1
        threading.Thread(target=self._serve, name="daemon calls", daemon=True).start()

    def _serve(self) -> None:
        while (call := self._next()) is not None:
            call()
            del call  # it may hold a large report, and the next may be long in coming

    def _next(self) -> Callable[[], None] | None:
        """Wait for a call; ``None`` ends the thread."""
        with self._counting:
            self._idle += 1
        while True:
            call = None
            with contextlib.suppress(queue.Empty):
                call = self._calls.get(timeout=IDLE_S)
            with self._counting:
                if call is not None or self._calls.empty():  # else one was given just now
                    self._idle -= 1
                    self._count -= call is None
                    return call


_threads = _Threads()
