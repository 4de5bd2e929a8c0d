"""Calls that may never return, as a system call on a network mount whose server is gone."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_daemon_thread(function: Callable[[], T]) -> T:
    """
    Give what ``function`` gives or raises, called in a thread of its own.

    Not ``asyncio.to_thread``: its few threads are shared, so that some calls that hang stop all others, and the process
    waits for them when it ends.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def deliver(result: Callable[[], None]) -> None:
        if not outcome.done():  # else nobody waits any more
            result()

    def work() -> None:
        try:
            result = function()
        except BaseException as exc:  # goes to who waits: it is raised there
            failure = exc
            call_back(lambda: outcome.set_exception(failure))
        else:
            call_back(lambda: outcome.set_result(result))

    def call_back(result: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(deliver, result)

    threading.Thread(target=work, name="daemon call", daemon=True).start()
    return await outcome
