"""Many clients in this process."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Sequence

from tests.support.follower import Follower
from tests.support.journal import Verdict, judge, together


class Fleet:
    """
    All clients of a case.

    Args:
        gateways: Their addresses, ``host:port``.
        size: How many clients.
    """

    def __init__(self, gateways: Sequence[str], size: int) -> None:
        self.followers = [Follower(gateways, number, random.Random(number)) for number in range(size)]

    @contextlib.asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Have all of them follow until the end of the block."""
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(follower.run()) for follower in self.followers]
            yield
            for task in running:
                task.cancel()

    @property
    def epochs(self) -> set[str]:
        """Those that any of them stands in."""
        return {follower.position.epoch for follower in self.followers if follower.position}

    def behind(self, change: int) -> int:
        """Tell how many do not show this change, or a later one."""
        return sum(follower.change < change for follower in self.followers)

    def judge(self, newest: str) -> Verdict:
        """Judge all of them together; they have to end with the report of this digest."""
        return together(judge(follower.journal, newest) for follower in self.followers)
