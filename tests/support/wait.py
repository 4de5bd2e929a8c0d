"""Waiting for a condition, never for a time."""

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable

POLL_S = 0.02


async def wait_until(what: str, condition: Callable[[], object | Awaitable[object]], timeout_s: float = 10.0) -> None:
    """
    Wait until ``condition`` gives something true.

    Raises:
        AssertionError: After ``timeout_s``; says what was waited for.
    """
    deadline = asyncio.get_running_loop().time() + timeout_s
    while True:
        met = condition()
        if inspect.isawaitable(met):
            met = await met
        if met:
            return
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"waited {timeout_s} s in vain until {what}")
        await asyncio.sleep(POLL_S)


def wait_until_sync(what: str, condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    """Do as ``wait_until`` does, without an event loop."""
    never = threading.Event()
    for _ in range(int(timeout_s / POLL_S)):
        if condition():
            return
        never.wait(POLL_S)
    raise AssertionError(f"waited {timeout_s} s in vain until {what}")
