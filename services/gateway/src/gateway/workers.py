"""
Several worker processes behind one port, and the supervisor that keeps them at work.

The supervisor has no event loop and no thread. Its signals are blocked and taken one at a time, so that none comes at a
bad moment. A worker is told to stop by the end of a pipe that it watches: the supervisor closes its own end, or the
kernel does when the supervisor is killed. So a signal that comes to the whole group, as a terminal's or systemd's does,
is no second one to the workers.

Source: docs/adr/0012-workers.md.
"""

import asyncio
import dataclasses
import math
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import structlog
from reportcast.service.process import EXIT_OK, EXIT_USAGE, in_event_loop

from gateway.colleagues import Place, make_letterbox

EXIT_FAILED = 1

STOPPING = (signal.SIGTERM, signal.SIGINT)
AWAITED = (*STOPPING, signal.SIGCHLD)

# A worker that dies is started again at once; one that dies young waits first, each time twice as long.
YOUNG_S = 10.0
FIRST_DELAY_S = 0.25
MAX_DELAY_S = 5.0

log = structlog.get_logger("workers")


class Seat(NamedTuple):
    """
    What one worker works with. It outlives the worker's process, and the next one goes on with it.

    Attributes:
        place: Its place among the workers.
        listener: Its own, on the port of all; connections wait here while the seat is empty.
    """

    place: Place
    listener: socket.socket


@dataclasses.dataclass(slots=True)
class _Worker:
    """
    Who has a seat.

    Attributes:
        pid: ``None`` while the seat is empty.
        started_s: When it was started.
        deaths: How many in a row died young.
        due_s: When to fill the seat that is empty.
    """

    seat: Seat
    pid: int | None = None
    started_s: float = 0.0
    deaths: int = 0
    due_s: float = 0.0


def make_seats(listeners: Sequence[socket.socket]) -> list[Seat]:
    """Make a seat for each listener."""
    boxes = tuple(make_letterbox() for _ in listeners)
    return [Seat(Place(number, boxes), listener) for number, listener in enumerate(listeners)]


class Supervisor:
    """
    Keeps a worker on each seat.

    Args:
        seats: At least one.
        serve: Run in a worker's event loop, with its seat and the event that ends it.
        on_end: Called in the supervisor with the number of a worker whose process has ended, before another takes its
            seat: what it held of all workers' is free then.
        patience_s: How long workers may take to end; those that hang are killed then.
    """

    def __init__(
        self,
        seats: Sequence[Seat],
        serve: Callable[[Seat, asyncio.Event], Awaitable[None]],
        on_end: Callable[[int], None] = lambda number: None,
        patience_s: float = math.inf,
    ) -> None:
        self._workers = [_Worker(seat) for seat in seats]
        self._serve = serve
        self._on_end = on_end
        self._patience_s = patience_s
        self._given_up_s = math.inf
        self._line, self._my_end = os.pipe()
        self._code: int | None = None

    def run(self) -> int:
        """
        Keep the workers at work until a signal ends them. A worker's process leaves this by ``SystemExit``.

        Returns:
            The exit code: 0 if a signal was what ended it, and every worker ended well; that of a worker which cannot
            be started as it was asked to; 128 and the second signal's number.
        """
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # who started us may have ignored it, and then none is told
        signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)
        while self._code is None or self._at_work:
            self._fill_seats()
            number = self._await_signal()
            if time.monotonic() >= self._given_up_s:
                self._kill_workers()
                return EXIT_FAILED
            if number == signal.SIGCHLD:
                self._look_after_workers()
            elif number in STOPPING and self._code is not None:
                return self._end_at_once(number)
            elif number in STOPPING:
                self._stop(EXIT_OK)
        return self._code

    @property
    def _at_work(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.pid is not None]

    def _await_signal(self) -> int | None:
        empty = [] if self._code is not None else [each.due_s for each in self._workers if each.pid is None]
        due_s = min([*empty, self._given_up_s])
        if due_s == math.inf:
            return signal.sigwaitinfo(AWAITED).si_signo
        found = signal.sigtimedwait(AWAITED, max(0.0, due_s - time.monotonic()))
        return found and found.si_signo

    def _fill_seats(self) -> None:
        for worker in self._workers:
            if self._code is None and worker.pid is None and worker.due_s <= time.monotonic():
                self._start(worker)

    def _start(self, worker: _Worker) -> None:
        worker.started_s = time.monotonic()
        try:
            worker.pid = os.fork()
        except OSError as exc:  # no memory, or too many processes: perhaps not for long
            self._postpone(worker, "worker not started", reason=exc.strerror)
            return
        if worker.pid == 0:
            sys.exit(self._work(worker))

    def _look_after_workers(self) -> None:
        for worker in self._at_work:
            assert worker.pid is not None
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
            if pid:
                worker.pid = None
                self._on_end(worker.seat.place.number)
                self._replace(worker, pid, os.waitstatus_to_exitcode(status))

    def _replace(self, worker: _Worker, pid: int, code: int) -> None:
        if self._code is None and code == EXIT_USAGE:
            self._stop(code)
        elif self._code is None:
            why = {"signal": signal.Signals(-code).name} if code < 0 else {"code": code}
            self._postpone(worker, "worker died", pid=pid, **why)
        elif code != EXIT_OK:
            self._code = self._code or EXIT_FAILED

    def _postpone(self, worker: _Worker, event: str, **why: object) -> None:
        now = time.monotonic()
        worker.deaths = worker.deaths + 1 if now - worker.started_s < YOUNG_S else 0
        delay_s = min(MAX_DELAY_S, FIRST_DELAY_S * 2.0 ** min(worker.deaths - 1, 16)) if worker.deaths else 0.0
        worker.due_s = now + delay_s
        log.error(event, worker=worker.seat.place.number, **why, again_in_s=delay_s)

    def _stop(self, code: int) -> None:
        self._code = code
        self._given_up_s = time.monotonic() + self._patience_s
        os.close(self._my_end)
        for worker in self._workers:  # or clients would wait for one that accepts no more
            worker.seat.listener.close()

    def _end_at_once(self, number: int) -> int:
        self._kill_workers()
        return 128 + number

    def _kill_workers(self) -> None:
        for worker in self._at_work:
            assert worker.pid is not None
            log.error("worker killed", worker=worker.seat.place.number, pid=worker.pid)
            os.kill(worker.pid, signal.SIGKILL)  # it is ours: nobody else has waited for it
            os.waitpid(worker.pid, 0)

    def _work(self, worker: _Worker) -> int:
        os.close(self._my_end)
        for other in self._workers:
            if other is not worker:
                other.seat.listener.close()
        structlog.contextvars.bind_contextvars(worker=worker.seat.place.number)
        return in_event_loop(self._serve_until_told)(worker.seat)

    async def _serve_until_told(self, seat: Seat, stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()

        def on_told() -> None:
            loop.remove_reader(self._line)
            stop.set()

        loop.add_reader(self._line, on_told)
        for number in STOPPING:
            loop.add_signal_handler(number, stop.set)  # a second one is the supervisor's to obey
        signal.pthread_sigmask(signal.SIG_UNBLOCK, AWAITED)
        await self._serve(seat, stop)
