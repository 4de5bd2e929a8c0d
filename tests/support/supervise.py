"""
Runs a supervisor whose workers do as they are told.

Arguments: how many workers, and what they do: ``fail`` (with exit code 1), ``refuse`` (cannot be started as asked),
``serve`` until they are told to end, ``hang`` when they are, or ``unforkable`` (they serve, but no third process can be
had at first).
"""

import asyncio
import signal
import sys
from collections.abc import Iterator

from gateway.workers import Seat, Supervisor, make_seats
from reportcast.service.http import listen_together
from reportcast.service.process import StartupError
from reportcast.telemetry.logs import configure_logs


async def fail(seat: Seat, stop: asyncio.Event) -> None:
    sys.exit(1)


async def refuse(seat: Seat, stop: asyncio.Event) -> None:
    raise StartupError("the worker cannot start")


async def hang(seat: Seat, stop: asyncio.Event) -> None:
    say(f"{seat.place.number} serves")
    await stop.wait()
    signal.pause()


async def serve(seat: Seat, stop: asyncio.Event) -> None:
    say(f"{seat.place.number} serves")
    await stop.wait()


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def refuse_fork(times: Iterator[int]) -> None:
    """Let there be no more processes, as often as ``times`` has numbers."""

    def on_event(event: str, _: object) -> None:
        if event == "os.fork" and next(times, None) is not None:
            raise BlockingIOError(11, "Resource temporarily unavailable")

    sys.addaudithook(on_event)


def main(workers: str, what: str) -> int:
    """Run it."""
    configure_logs("info", "json", "supervise")
    if what == "unforkable":
        refuse_fork(iter(range(3)))
    work = {"fail": fail, "refuse": refuse, "hang": hang}.get(what, serve)
    seats = make_seats(listen_together("127.0.0.1", 0, int(workers)))
    patience_s = 0.5 if what == "hang" else 5.0
    try:
        return Supervisor(seats, work, lambda number: say(f"{number} ended"), patience_s).run()
    except StartupError:
        return 2  # as reportcast.service.process does


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
