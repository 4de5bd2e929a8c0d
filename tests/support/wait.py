"""Waiting for something to become true, instead of sleeping and hoping."""

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

TIMEOUT_S = 10.0
POLL_S = 0.02


def wait_until(what: str, condition: Callable[[], T], timeout_s: float = TIMEOUT_S) -> T:
    """
    Give the first true result of ``condition``.

    Args:
        what: Names what is waited for, as in "the client has joined".
        condition: Called every POLL_S; what it raises is raised.
        timeout_s: At most this long.

    Raises:
        AssertionError: If it did not become true in time; says what was waited for, and the last result.
    """
    deadline = time.monotonic() + timeout_s
    while not (result := condition()):
        _check(what, result, deadline, timeout_s)
        time.sleep(POLL_S)
    return result


async def await_until(what: str, condition: Callable[[], object], timeout_s: float = TIMEOUT_S) -> object:
    """Do as ``wait_until`` does, but leave the event loop running; ``condition`` may be a coroutine function."""
    deadline = time.monotonic() + timeout_s
    while not (result := await _resolved(condition())):
        _check(what, result, deadline, timeout_s)
        await asyncio.sleep(POLL_S)
    return result


async def _resolved(result: object) -> object:
    return await result if inspect.isawaitable(result) else result


def _check(what: str, result: object, deadline: float, timeout_s: float) -> None:
    assert time.monotonic() < deadline, f"waited {timeout_s:g} s until {what}; the last result was {result!r}"
