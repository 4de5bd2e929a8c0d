"""How late the event loop is."""

import asyncio
from collections.abc import Callable

EVERY_S = 1.0


async def observe_lag(observe: Callable[[float], None]) -> None:
    """Tell every EVERY_S how many seconds later than asked for the event loop came round, for ever."""
    clock = asyncio.get_running_loop().time
    while True:
        due_s = clock() + EVERY_S
        await asyncio.sleep(EVERY_S)
        observe(max(0.0, clock() - due_s))
